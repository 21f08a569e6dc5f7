--- A template's text as a tree of maps, lists and strings.
--
-- CloudFormation converts every scalar to a string before it looks at anything (true becomes "true", 80
-- becomes "80"), so that is done once, here; the rest of the template language knows only strings. Maps keep
-- the order of their keys (json.keys), which is the order of everything that happens later.

local documents = require "tap.core.document"
local json = require "tap.core.json"
local fault = require "sandbox.fault"

local parse = {}

local FORMATS = {
  JSON = { read = documents.json, opens = "^%s*{" },
  YAML = { read = documents.yaml },
}

local function decode(text)
  local name = text:match(FORMATS.JSON.opens) and "JSON" or "YAML"
  local ok, doc = pcall(FORMATS[name].read, text)
  if ok then return doc:root() end
  fault.validation("Template format error: %s not well-formed. (line %d, column %d)",
    name, doc.line or 1, doc.column or 1)
end

local function number_text(value)
  if math.type(value) == "integer" then return ("%d"):format(value) end
  return (("%.15g"):format(value):gsub("^(-?%d+)$", "%1.0"))
end

local SCALARS = {
  string = function(value) return value end,
  boolean = tostring,
  number = number_text,
}

-- In place, because a map's key order belongs to the very table that was read.
local function to_strings(value, path)
  if value == json.null then
    fault.validation("[%s] 'null' values are not allowed in templates", path)
  end
  local scalar = SCALARS[type(value)]
  if scalar then return scalar(value) end
  if json.is_list(value) then
    for i = 1, #value do value[i] = to_strings(value[i], path .. "/" .. (i - 1)) end
  else
    for _, key in ipairs(json.keys(value)) do value[key] = to_strings(value[key], path .. "/" .. key) end
  end
  return value
end

--- Reads a template. Raises ValidationError with the service's texts.
---@param text string JSON when it begins with a brace, else YAML
---@return table tree a map
function parse.text(text)
  local tree = decode(text)
  if type(tree) ~= "table" or json.is_list(tree) then
    fault.validation("Template format error: unsupported structure.")
  end
  return to_strings(tree, "")
end

--- Reads a template or a part of one, whatever its shape, with the types of its scalars: what transforms work on.
-- Raises ValidationError.
---@param text string
function parse.typed(text)
  return decode(text)
end

--- A part of a template whose scalars have types, as CloudFormation sees it; changed where it stands. Raises
-- ValidationError.
function parse.strings(value)
  return to_strings(value, "")
end

return parse

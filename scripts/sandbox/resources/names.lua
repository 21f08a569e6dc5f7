--- Physical names: the one that the template gives, or one made as CloudFormation makes them.
--
-- A record's `name` says { property, max = length, form = ..., suffix = alphabet, lower = true }. In a form,
-- {stack} and {logical} are cut so that the whole fits into `max`; the suffix never is.

local ids = require "sandbox.ids"

local names = {}

local DEFAULT_FORM = "{stack}-{logical}-{suffix}"
local DEFAULT_MAX = 255
local SUFFIX_LENGTH = 12

-- "short": the first five characters of both, for names of at most 32.
local FORMS = {
  default = DEFAULT_FORM,
  short = "{stack:5}-{logical:5}-{suffix}",
  logical = "{logical}-{suffix}",
  parameter = "CFN-{logical}-{suffix}",
  policy = "{stack:4}-{logical:4}-{suffix}",
}

local function cut(parts, fixed, max)
  local room = max - fixed
  local over = #parts.stack + #parts.logical - room
  if over <= 0 then return end
  parts.stack = parts.stack:sub(1, math.max(1, #parts.stack - over, room - #parts.logical))
  parts.logical = parts.logical:sub(1, math.max(1, room - #parts.stack))
end

local function generate(rule, facts)
  local form = FORMS[rule.form or "default"]
  local suffix = facts.stream:text(SUFFIX_LENGTH, ids.alphabets[rule.suffix or "mixed"])
  local parts = { stack = facts.stack, logical = facts.logical, suffix = suffix }
  for name, length in form:gmatch("{(%l+):(%d)}") do parts[name] = parts[name]:sub(1, tonumber(length)) end
  local fixed = #form:gsub("{[^}]*}", "") + #suffix
  if form:find("{logical", 1, true) then
    if not form:find("{stack", 1, true) then parts.stack = "" end
    cut(parts, fixed, rule.max or DEFAULT_MAX)
  end
  local name = form:gsub("{(%l+):?%d?}", parts)
  return rule.lower and name:lower() or name
end

--- The name of a resource, and whether the template chose it.
---@param rule table a record's `name`
---@param facts table of the resource
---@return string name
---@return boolean custom
function names.of(rule, facts)
  local given = rule[1] and facts.properties[rule[1]]
  if type(given) == "string" and given ~= "" then return given, true end
  return generate(rule, facts), false
end

return names

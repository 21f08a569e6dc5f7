--- Local files that a template names where the service wants an object of S3: nested templates, code, definitions. They
-- are uploaded under names made of their content, which the template's text then has; nothing else in it changes.

local errors = require "tap.error"
local json = require "tap.core.json"
local offline = require "tap.offline"
local sys = require "tap.core.sys"
local template = require "tap.template"
local upload = require "tap.upload"
local zip = require "tap.zip"

local artifacts = {}

local MOST_BYTES = 250 * 1024 * 1024 -- of a folder: what Lambda takes unpacked
local MOST_DEPTH = 20 -- of folders
local MOST_NESTING = 5 -- of templates in templates

local function bucket_and_key(bucket_name, key_name)
  return function(place) return json.encode { [bucket_name] = place.bucket, [key_name] = place.key } end
end

local function url(place) return json.encode(place.url) end

local FUNCTION = { kind = "zip", write = bucket_and_key("S3Bucket", "S3Key") }
local SERVERLESS = { kind = "zip", write = bucket_and_key("Bucket", "Key") }
local NESTED = { kind = "template", write = url }
local DEFINITION = { kind = "file", write = bucket_and_key("Bucket", "Key") }

-- Type -> property -> what a path there becomes.
local NAMED = {
  ["AWS::CloudFormation::Stack"] = { TemplateURL = NESTED },
  ["AWS::Serverless::Application"] = { Location = NESTED },
  ["AWS::Lambda::Function"] = { Code = FUNCTION }, ["AWS::Lambda::LayerVersion"] = { Content = FUNCTION },
  ["AWS::Serverless::Function"] = { CodeUri = SERVERLESS },
  ["AWS::Serverless::LayerVersion"] = { ContentUri = SERVERLESS },
  ["AWS::Serverless::Api"] = { DefinitionUri = DEFINITION },
  ["AWS::Serverless::HttpApi"] = { DefinitionUri = DEFINITION },
  ["AWS::Serverless::StateMachine"] = { DefinitionUri = DEFINITION },
  ["AWS::StepFunctions::StateMachine"] = { DefinitionS3Location = DEFINITION },
  ["AWS::ApiGateway::RestApi"] = { BodyS3Location = DEFINITION },
}

---------------------------------------------------------------------------------------------------------
-- Files

local function is_folder(path) return errors.try(sys.list_dir, path) ~= nil end

local function add_files(folder, prefix, depth, into)
  for _, name in ipairs(sys.list_dir(folder)) do
    local path = folder .. "/" .. name
    if is_folder(path) and depth < MOST_DEPTH then
      add_files(path, prefix .. name .. "/", depth + 1, into)
    else
      local bytes = sys.read_file(path)
      into.size = into.size + #bytes
      if into.size > MOST_BYTES then
        errors.raise { class = "invalid", code = "TooLarge", message = ("%s holds more than 250 MB"):format(into.root) }
      end
      into[#into + 1] = { name = prefix .. name, bytes = bytes }
    end
  end
  return into
end

local KINDS = {}

function KINDS.zip(_, path)
  if is_folder(path) then return zip.of(add_files(path, "", 0, { size = 0, root = path })), ".zip" end
  local bytes, name = sys.read_file(path), path:match "[^/]+$"
  if name:find "%.zip$" or name:find "%.jar$" then return bytes, ".zip" end
  return zip.of { { name = name, bytes = bytes } }, ".zip"
end

function KINDS.file(_, path) return sys.read_file(path), "" end

function KINDS.template(job, path, depth)
  if depth > MOST_NESTING then
    errors.raise { class = "invalid", code = "TooDeep", message = path .. ": templates nest deeper than five levels" }
  end
  local t = offline.template(path, function(line) job.ctx.out:warn(line) end, job.p.lint)
  return artifacts.text(job, t, depth + 1), ".template"
end

---------------------------------------------------------------------------------------------------------
-- The text

local QUOTED = { ['"'] = '^"[^"\\\n]*"', ["'"] = "^'[^'\n]*'" }

-- The path as it stands in the text: where it begins and ends. Raises when it is not on one line as it is.
local function token_at(t, mark, value)
  local start = 1
  for _ = 2, mark.line do start = t.text:find("\n", start, true) + 1 end
  start = utf8.offset(t.text, mark.column, start)
  local quoted = QUOTED[t.text:sub(start, start)]
  local finish
  if quoted then
    finish = select(2, t.text:find(quoted, start))
  elseif t.text:sub(start, start + #value - 1) == value then
    finish = start + #value - 1
  end
  local word = finish and t.text:sub(start, finish):gsub("^[\"']", ""):gsub("[\"']$", "")
  if word == value then return start, finish end
  return errors.raise { class = "invalid", code = "UnclearPath", message = ("%s:%d:%d: write the path '%s' on one "
    .. "line, in quotes, so that it can be replaced"):format(t.path, mark.line, mark.column, value) }
end

local function is_local(value)
  return type(value) == "string" and value ~= "" and not value:find "^%a[%w+.-]*://" and not value:find "{{resolve:"
end

-- Where properties of a type stand: in resources, and in what a serverless template says of all of a type.
local function holders(t)
  local out = {}
  for _, resource in ipairs(t:resources()) do
    out[#out + 1] = { id = resource.id, type = resource.type, at = { "Resources", resource.id, "Properties" },
      properties = t.root.Resources[resource.id].Properties }
  end
  for section, properties in pairs(type(t.root.Globals) == "table" and t.root.Globals or {}) do
    out[#out + 1] = { id = "Globals", type = "AWS::Serverless::" .. section, at = { "Globals", section },
      properties = properties }
  end
  return out
end

-- The paths that a template names, with their places. Raises class "invalid" with those that are not there.
local function paths_of(t)
  local found, problems, folder = {}, {}, t.path:match "^(.*/)" or ""
  for _, resource in ipairs(holders(t)) do
    local properties = resource.properties
    for name, rule in pairs(NAMED[resource.type] or {}) do
      local value = type(properties) == "table" and properties[name]
      if is_local(value) then
        local at = table.move({ name }, 1, 1, #resource.at + 1, { table.unpack(resource.at) })
        local path = value:sub(1, 1) == "/" and value or folder .. value
        local line, column = t.document:mark(at)
        found[#found + 1] = { rule = rule, path = path, value = value, mark = { line = line, column = column } }
        if not sys.exists(path) then
          problems[#problems + 1] = t:problem(at, ("%s: %s names %s, which is not there"):format(resource.id, name,
            path))
        end
      end
    end
  end
  template.refuse(problems)
  return found
end

--- A template's text with every local file that it names uploaded, nested templates with theirs.
---@param job tap.Rollout
---@param t table tap.template
---@param depth integer? of nesting
---@return string
function artifacts.text(job, t, depth)
  local text, changes = t.text, paths_of(t)
  for _, one in ipairs(changes) do one.start, one.finish = token_at(t, one.mark, one.value) end
  table.sort(changes, function(a, b) return a.start > b.start end) -- from the end on, so that places stay
  for _, one in ipairs(changes) do
    local bytes, suffix = KINDS[one.rule.kind](job, one.path, depth or 1)
    local place = upload.store(job.ctx, bytes, suffix, job.p.s3_bucket or job.target.file.bucket)
    text = text:sub(1, one.start - 1) .. one.rule.write(place) .. text:sub(one.finish + 1)
    job.ctx.out:note(("%s is s3://%s/%s"):format(one.path, place.bucket, place.key))
  end
  return text
end

return artifacts

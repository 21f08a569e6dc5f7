--- A template file: read, parsed with the place of every node, and checked as far as the file alone allows.
--
-- Problems are collected, each with its file, line and column, and worded as the service words them, so that
-- a search for the text finds help. What only the service can know is left to ValidateTemplate.

local documents = require "tap.core.document"
local errors = require "tap.error"
local json = require "tap.core.json"
local references = require "tap.references"
local sys = require "tap.core.sys"
local util = require "tap.util"

local template = {}
template.__index = template

--- Bytes that CloudFormation takes in a request; a larger template has to come from S3.
template.MAX_BODY = 51200
--- Bytes that it takes from there.
template.MAX_UPLOADED = 1024 * 1024

local SECTIONS = {
  "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
  "Transform", "Resources", "Outputs", "Hooks",
}

local SERVERLESS = "AWS::Serverless-2016-10-31"

-- Types for which SAM makes a role, unless they have this property.
local MAKE_ROLES = { ["AWS::Serverless::Function"] = "Role", ["AWS::Serverless::StateMachine"] = "Role" }

-- IAM types, and the property that gives them a name of the template's choosing.
local IAM_TYPES = {
  ["AWS::IAM::AccessKey"] = "", ["AWS::IAM::Group"] = "GroupName",
  ["AWS::IAM::InstanceProfile"] = "InstanceProfileName", ["AWS::IAM::ManagedPolicy"] = "ManagedPolicyName",
  ["AWS::IAM::Policy"] = "", ["AWS::IAM::Role"] = "RoleName", ["AWS::IAM::User"] = "UserName",
  ["AWS::IAM::UserToGroupAddition"] = "",
}

--- Reads a file of the user's; what goes wrong is "invalid input, nothing touched".
---@param path string
---@return string text
function template.read_file(path)
  local text, e = errors.try(sys.read_file, path)
  if text then return text end
  return errors.raise { class = "invalid", code = "UnreadableFile", message = e.message, file = e.file }
end

--- Reads and parses a template. Raises class "invalid" (no such file) or "parse" (with line and column).
---@param path string
---@return table template { path, text, root, document }
function template.read(path)
  local text = template.read_file(path)
  local document = documents.any(text, path)
  return setmetatable({ path = path, text = text, document = document, root = document:root() }, template)
end

--- A problem at a node.
---@param path table keys and indexes from the root; the place is the key's where there is one
---@param message string
---@return { file: string, line: integer, column: integer, message: string }
function template:problem(path, message)
  local line, column, key_line, key_column = self.document:mark(path)
  return { file = self.path, line = key_line or line, column = key_column or column, message = message }
end

--- "file:line:column" of a resource, or of a property of it; nil when the template does not have the resource.
---@param id string
---@param pointer string? "/VisibilityTimeout", "/Tags/0/Value"; the place is as deep as the template goes
---@return string?
function template:place_of_resource(id, pointer)
  if type(self.root.Resources) ~= "table" or self.root.Resources[id] == nil then return nil end
  local path, node = { "Resources", id }, self.root.Resources[id]
  for name in (pointer and "Properties" .. pointer or ""):gmatch("[^/]+") do
    local key = json.is_list(node) and math.tointeger(tonumber(name) or -1) + 1 or name
    node = type(node) == "table" and node[key] or nil
    if node == nil then break end
    path[#path + 1] = key
  end
  local problem = self:problem(path, "")
  return ("%s:%d:%d"):format(problem.file, problem.line, problem.column)
end

--- The members of a section in the template's order; empty when there is no such section.
---@param section string
---@return { name: string, value: any }[]
function template:members(section)
  local members = {}
  local map = self.root[section]
  if type(map) ~= "table" or json.is_list(map) then return members end
  for index, name in ipairs(json.keys(map)) do members[index] = { name = name, value = map[name] } end
  return members
end

--- The resources in the template's order.
---@return { id: string, type: string }[]
function template:resources()
  local list = {}
  for index, member in ipairs(self:members("Resources")) do
    list[index] = { id = member.name, type = type(member.value) == "table" and member.value.Type or "" }
  end
  return list
end

--- True when a macro will rewrite the template, so that its references cannot be judged from the file.
---@return boolean
function template:is_transformed()
  return self.root.Transform ~= nil or self.text:find("Fn::ForEach", 1, true) ~= nil
    or self.text:find("Fn::Transform", 1, true) ~= nil
end

---------------------------------------------------------------------------------------------------------
-- Checks

-- Does the template declare SAM's transform?
local function is_serverless(self)
  local declared = self.root.Transform
  for _, each in ipairs(json.is_list(declared) and declared or { declared }) do
    if each == SERVERLESS or type(each) == "table" and each.Name == SERVERLESS then return true end
  end
  return false
end

local function check_sections(self, problems)
  for _, name in ipairs(json.keys(self.root)) do
    local known = name:find("^Fn::") ~= nil or name == "Globals" and is_serverless(self)
    for _, section in ipairs(SECTIONS) do known = known or section == name end
    if not known then
      problems[#problems + 1] = self:problem({ name },
        ("Invalid template property or properties [%s]%s"):format(name, util.suggest(name, SECTIONS)))
    end
  end
  if #self:members("Resources") == 0 then
    problems[#problems + 1] = self:problem({ "Resources" },
      "Template format error: At least one Resources member must be defined.")
  end
end

local function check_types(self, problems)
  for _, member in ipairs(self:members("Resources")) do
    local path = { "Resources", member.name }
    if member.name:find("^Fn::") then goto continue end -- a macro's or a loop's place
    if type(member.value) ~= "table" or json.is_list(member.value) then
      problems[#problems + 1] = self:problem(path,
        "Template format error: Any Resources member must be an object.")
    elseif type(member.value.Type) ~= "string" then
      problems[#problems + 1] = self:problem(path, ("Template format error: [/Resources/%s] Every Resources "
        .. "object must contain a Type member."):format(member.name))
    end
    ::continue::
  end
  for _, member in ipairs(self:members("Parameters")) do
    if type(member.value) ~= "table" or type(member.value.Type) ~= "string" then
      problems[#problems + 1] = self:problem({ "Parameters", member.name },
        "Template format error: Every Parameters object must contain a Type member.")
    end
  end
end

--- True for a parameter whose value is a secret.
---@param definition table
---@return boolean
function template.is_secret(definition)
  return tostring(definition.NoEcho):lower() == "true"
end

local function check_secrets(self, problems)
  for _, member in ipairs(self:members("Parameters")) do
    local definition = type(member.value) == "table" and member.value or {}
    local default = definition.Default
    if template.is_secret(definition) and default ~= nil and default ~= ""
      and not tostring(default):find("{{resolve:", 1, true) then
      problems[#problems + 1] = self:problem({ "Parameters", member.name, "Default" },
        ("a secret stands in the template: remove the Default of the NoEcho parameter %s and set "
        .. "TAP_PARAM_%s in the environment"):format(member.name, member.name))
    end
  end
end

--- Everything that is wrong with the template itself.
---@return table[] problems { file, line, column, message }
function template:check()
  if type(self.root) ~= "table" or json.is_list(self.root) then
    return { self:problem({}, "Template format error: unsupported structure.") }
  end
  local problems = {}
  check_sections(self, problems)
  check_types(self, problems)
  check_secrets(self, problems)
  if #problems == 0 and not self:is_transformed() then references.check(self, problems) end
  return problems
end

--- Keys that stand twice in one map, as lines for a warning: the service takes the last one without a word.
---@return string[]
function template:duplicates()
  local lines = {}
  for index, found in ipairs(self.document:duplicates()) do
    lines[index] = ("%s:%d:%d: '%s' stands twice, the first time in line %d; the last one counts"):format(
      self.path, found.line, found.column, tostring(found.path[#found.path]), found.first_line)
  end
  return lines
end

--- The capability that CreateStack will ask for, and the first resource that needs it.
---@return string? capability "CAPABILITY_IAM" or "CAPABILITY_NAMED_IAM"
---@return string? id
function template:capability()
  local capability, first
  for _, member in ipairs(self:members("Resources")) do
    local resource = type(member.value) == "table" and member.value or {}
    local naming = IAM_TYPES[resource.Type]
    local properties = type(resource.Properties) == "table" and resource.Properties or {}
    if naming and properties[naming] ~= nil then return "CAPABILITY_NAMED_IAM", member.name end
    local makes = MAKE_ROLES[resource.Type] and properties[MAKE_ROLES[resource.Type]] == nil
    if (naming or makes) and not capability then capability, first = "CAPABILITY_IAM", member.name end
  end
  return capability, first
end

--- What is missing in the capabilities that the user acknowledges.
---@param given string[]
---@return table[] problems
function template:check_capabilities(given)
  local has, problems = {}, {}
  for _, name in ipairs(given) do has[name] = true end
  local function need(capability, path, why)
    problems[#problems + 1] = self:problem(path, ("Requires capabilities : [%s]; %s, add --capabilities %s")
      :format(capability, why, capability))
  end
  local capability, id = self:capability()
  if capability and not has[capability] and not has.CAPABILITY_NAMED_IAM then
    need(capability, { "Resources", id }, ("%s is an %s"):format(id, self.root.Resources[id].Type))
  end
  if self.root.Transform ~= nil and not has.CAPABILITY_AUTO_EXPAND then
    need("CAPABILITY_AUTO_EXPAND", { "Transform" }, "a macro rewrites the template")
  end
  return problems
end

--- Is the template too large for a request, so that it has to come from S3?
---@return boolean
function template:is_large()
  return #self.text > template.MAX_BODY
end

--- A template that is larger than the service takes.
---@param uploads boolean? it may go through S3
---@return table[] problems
function template:check_size(uploads)
  local limit = uploads and template.MAX_UPLOADED or template.MAX_BODY
  if #self.text <= limit then return {} end
  return { { file = self.path, line = 1, column = 1, message = ("the template has %d bytes; CloudFormation "
    .. "takes at most %d %s"):format(#self.text, limit, uploads and "from S3: split it into nested stacks"
    or "in a request; `deploy` uploads a larger one to S3") } }
end

--- A problem as text.
---@param problem table
---@return string
function template.show_problem(problem)
  if not problem.file then return problem.message end
  return ("%s:%d:%d: %s"):format(problem.file, problem.line, problem.column, problem.message)
end

--- Raises class "invalid" when there is any problem.
---@param problems table[]
function template.refuse(problems)
  if #problems == 0 then return end
  local lines = json.list {}
  for index, problem in ipairs(problems) do lines[index] = template.show_problem(problem) end
  errors.raise { class = "invalid", code = "InvalidTemplate", message = table.concat(lines, "\n"),
    problems = lines, hints = json.list { "nothing was touched" } }
end

return template

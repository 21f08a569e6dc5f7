--- The template language, from text to what the engine works with.
--
--   text --read--> template (checked; what ValidateTemplate can say) --bind--> plan (parameters have values,
--   conditions have truth, the dependency graph is known)

local json = require "tap.core.json"
local conditions = require "sandbox.template.conditions"
local functions = require "sandbox.template.functions"
local parameters = require "sandbox.template.parameters"
local parse = require "sandbox.template.parse"
local references = require "sandbox.template.references"
local shape = require "sandbox.template.shape"
local structure = require "sandbox.template.structure"

local template = {}

--- Reads and checks a template. Raises ValidationError with the service's texts.
---@param text string
---@return table template { text, tree, parameters, resources, outputs, mappings, conditions, description }
function template.read(text)
  local tree = parse.text(text)
  structure.check(tree)
  parameters.check(tree.Parameters or {})
  references.scan(tree)
  return {
    text = text, tree = tree, description = tree.Description,
    parameters = tree.Parameters or {}, mappings = tree.Mappings or {}, conditions = tree.Conditions or {},
    resources = tree.Resources, outputs = tree.Outputs or {},
  }
end

-- Ref of a resource while nothing exists yet: FindInMap's and ImportValue's arguments cannot hold one.
local function nothing_yet() return "" end

local function check_maps(tree, plan)
  references.each_call(tree, plan.conditions, function(name, argument)
    if name == "Fn::FindInMap" then functions.evaluate({ [name] = argument }, plan.scope) end
  end)
end

local function created_in_order(members, values)
  local out = json.list {}
  for _, id in ipairs(shape.keys(members)) do
    local condition = members[id].Condition
    if not condition or values[condition] then out[#out + 1] = id end
  end
  return out
end

--- Gives a template its parameters' values. Raises ValidationError.
---@param read table of template.read
---@param given table[] parameters as in a request
---@param pseudo table<string, string|string[]> the pseudo parameters
---@return table plan { values, texts, masked, conditions, graph, created, outputs, scope }
function template.bind(read, given, pseudo)
  local values, texts = parameters.resolve(read.parameters, given)
  local plan = { values = values, texts = texts, masked = parameters.masked(read.parameters, values) }
  plan.scope = {
    parameters = values, pseudo = pseudo, mappings = read.mappings,
    ref = nothing_yet, attribute = nothing_yet, import = nothing_yet,
  }
  plan.conditions = conditions.evaluate(read.conditions, plan.scope)
  plan.scope.conditions = plan.conditions
  plan.graph = references.scan(read.tree, plan.conditions)
  check_maps(read.tree, plan)
  plan.created = created_in_order(read.resources, plan.conditions)
  plan.outputs = created_in_order(read.outputs, plan.conditions)
  return plan
end

--- The names of the exports that a plan imports, in template order; a name may stand there more than once.
function template.imports(read, plan)
  local out = {}
  references.each_call(read.tree, plan.conditions, function(name, argument)
    if name == "Fn::ImportValue" then out[#out + 1] = functions.evaluate(argument, plan.scope) end
  end)
  return out
end

--- The text about an output that asks for an attribute which its resource's type does not have; nil when
-- there is none. The service finds this out only when it has begun.
function template.unsupported_output(read, plan)
  return references.unsupported_output(read.tree, plan.conditions)
end

return template

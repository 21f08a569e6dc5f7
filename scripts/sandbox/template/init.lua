--- The template language, from text to what the engine works with.
--
--   text --read--> template (checked; what ValidateTemplate can say) --bind--> plan (parameters have values,
--   transforms are applied, rules hold, conditions have truth, the dependency graph is known)

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local conditions = require "sandbox.template.conditions"
local dynamic = require "sandbox.template.dynamic"
local functions = require "sandbox.template.functions"
local parameters = require "sandbox.template.parameters"
local parse = require "sandbox.template.parse"
local references = require "sandbox.template.references"
local rules = require "sandbox.template.rules"
local shape = require "sandbox.template.shape"
local structure = require "sandbox.template.structure"
local transform = require "sandbox.template.transform"

local template = {}

-- What the rest of the sandbox knows of a tree.
local function record(text, tree, fields)
  local out = {
    text = text, tree = tree, description = tree.Description,
    parameters = tree.Parameters or {}, mappings = tree.Mappings or {}, conditions = tree.Conditions or {},
    resources = tree.Resources or {}, outputs = tree.Outputs or {}, transforms = transform.names(tree),
  }
  for name, value in pairs(fields or {}) do out[name] = value end
  return out
end

--- Reads and checks a template. Raises ValidationError with the service's texts. What transforms make of it
-- is checked when it is bound.
---@param text string
---@return table template { text, tree, parameters, resources, outputs, mappings, conditions, description,
-- transforms = names, pending = true until its transforms are applied; after that original and processed, the text }
function template.read(text)
  local tree = parse.text(text)
  local pending = transform.is_needed(tree)
  if pending then
    structure.check_untransformed(tree, transform.sections(tree))
  else
    structure.check(tree)
  end
  parameters.check(tree.Parameters or {})
  if not pending then references.scan(tree) end
  return record(text, tree, { pending = pending })
end

-- Ref of a resource while nothing exists yet: FindInMap's and ImportValue's arguments cannot hold one.
local function nothing_yet() return "" end

local function check_maps(read, plan)
  references.each_call(read.tree, plan.conditions, function(name, argument)
    if name == "Fn::FindInMap" then functions.evaluate({ [name] = argument }, plan.scope) end
  end, read.others)
end

local function transformed(read, scope, environment)
  local typed, extended = transform.apply(parse.typed(read.text), scope, environment)
  local processed = json.encode(typed)
  local tree = parse.strings(typed)
  structure.check(tree)
  local others = extended and functions.extended or nil
  references.scan(tree, nil, others)
  return record(read.text, tree, { others = others, transforms = read.transforms, original = read,
    processed = processed })
end

-- The template after its transforms. The service applies them only once the operation has begun.
local function after_transforms(...)
  local ok, result = pcall(transformed, ...)
  if ok then return result end
  if not fault.is(result) or result.code == "NotImplemented" then error(result, 0) end
  fault.late("%s", result.message)
end

local function created_in_order(members, values)
  local out = json.list {}
  for _, id in ipairs(shape.keys(members)) do
    local condition = members[id].Condition
    if not condition or values[condition] then out[#out + 1] = id end
  end
  return out
end

--- Gives a template its parameters' values. Raises ValidationError, and fault.late for what transforms make.
---@param read table of template.read
---@param given table[] parameters as in a request
---@param environment table of sandbox.engine.environment
---@return table plan { template, values, texts, resolved, masked, conditions, graph, created, outputs, scope,
-- dynamic, environment }
function template.bind(read, given, environment)
  local values, texts, resolved = parameters.resolve(read.parameters, given, environment)
  local plan = { values = values, texts = texts, resolved = resolved, environment = environment,
    masked = parameters.masked(read.parameters, values) }
  plan.scope = {
    parameters = values, pseudo = environment.pseudo, mappings = read.mappings, conditions = {},
    ref = nothing_yet, attribute = nothing_yet, import = nothing_yet,
  }
  if read.pending then read = after_transforms(read, plan.scope, environment) end
  plan.template, plan.scope.mappings = read, read.mappings
  rules.assert(read.tree.Rules or {}, read.parameters, plan.scope)
  plan.conditions = conditions.evaluate(read.conditions, plan.scope)
  plan.scope.conditions = plan.conditions
  plan.graph = references.scan(read.tree, plan.conditions, read.others)
  check_maps(read, plan)
  plan.created = created_in_order(read.resources, plan.conditions)
  plan.outputs = created_in_order(read.outputs, plan.conditions)
  plan.dynamic, plan.late = dynamic.read(read.resources, plan.created, environment)
  return plan
end

--- The names of the exports that a plan imports, in template order; a name may stand there more than once.
function template.imports(read, plan)
  local out = {}
  references.each_call(read.tree, plan.conditions, function(name, argument)
    if name == "Fn::ImportValue" then out[#out + 1] = functions.evaluate(argument, plan.scope) end
  end, read.others)
  return out
end

--- The text about an output that asks for an attribute which its resource's type does not have; nil when
-- there is none. The service finds this out only when it has begun.
function template.unsupported_output(read, plan)
  return references.unsupported_output(read.tree, plan.conditions, read.others)
end

return template

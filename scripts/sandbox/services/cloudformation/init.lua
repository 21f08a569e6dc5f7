--- AWS CloudFormation: the operations, and the request constraints that the service's model leaves out.

local operations = {}

for _, file in ipairs { "reads", "stacks", "templates", "updates", "change_sets", "operations", "drifts" } do
  for name, operation in pairs(require("sandbox.services.cloudformation." .. file)) do
    if name:match("^%u") then operations[name] = operation end
  end
end

local STACK_NAME = { pattern = "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*" }
local NEW_STACK_NAME = { pattern = STACK_NAME.pattern, max = 128 }
local TEMPLATE_BODY = { min = 1, max = 51200 }
local CHANGE_SET_TYPE = { enum = { "IMPORT", "UPDATE", "CREATE" } } -- the service's own order

local function constraints_of(operation)
  return {
    StackName = operation == "CreateStack" and NEW_STACK_NAME or STACK_NAME, TemplateBody = TEMPLATE_BODY,
    ChangeSetType = CHANGE_SET_TYPE,
  }
end

return { operations = operations, constraints = constraints_of }

--- Amazon DynamoDB: tables and their items. A table is the thing that a template makes, too; its items are
-- its state.

local operations = {}

for _, file in ipairs { "tables", "items", "reads", "batches" } do
  for name, operation in pairs(require("sandbox.services.dynamodb." .. file)) do
    if name:match("^%u") then operations[name] = operation end
  end
end

return { operations = operations }

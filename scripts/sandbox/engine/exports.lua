--- Exports of stacks and who imports them: names are unique in a region, and what is imported can neither
-- change nor go.

local exports = {}

local in_words -- forward

-- Why the exports that a stack has now cannot become `wanted`, because other stacks import them.
local function imported_change(stack, wanted)
  for _, export in ipairs(stack.region:sorted_exports()) do
    local importers = export.stack == stack and exports.importers(export) or {}
    local later = wanted[export.name]
    if #importers > 0 and not later then
      return ("Delete canceled. Cannot delete export %s as it is in use by %s."):format(export.name,
        in_words(importers))
    elseif #importers > 0 and later.value ~= export.value then
      return ("Export %s cannot be updated as it is in use by %s"):format(export.name, in_words(importers))
    end
  end
end

--- Publishes a stack's exporting outputs in place of those that it has. A text when a name is taken or
-- another stack imports what would change; then nothing was published.
---@return string? reason
function exports.publish(stack, outputs)
  local region, wanted = stack.region, {}
  for _, output in ipairs(outputs) do
    local name = output.export
    local held = name and region.exports[name]
    local other = held and held.stack ~= stack and held or name and wanted[name]
    if other then
      return ("Export with name %s is already exported by stack %s"):format(name, other.stack.name)
    elseif name then
      wanted[name] = { name = name, value = output.value, stack = stack,
        importers = held and held.importers or {} }
    end
  end
  local why = imported_change(stack, wanted)
  if why then return why end
  for name, export in pairs(region.exports) do
    if export.stack == stack then region.exports[name] = nil end
  end
  for name, export in pairs(wanted) do region.exports[name] = export end
end

--- Notes that a stack imports a name, which must exist.
function exports.use(stack, name)
  stack.region.exports[name].importers[stack.id] = stack
end

--- Withdraws everything that a stack exports and imports.
function exports.withdraw(stack)
  for name, export in pairs(stack.region.exports) do
    export.importers[stack.id] = nil
    if export.stack == stack then stack.region.exports[name] = nil end
  end
end

--- The names of the stacks that import an export, sorted.
---@return string[]
function exports.importers(export)
  local out = export.stack.region.importers(export.name)
  for _, stack in pairs(export.importers) do out[#out + 1] = stack.name end
  table.sort(out)
  return out
end

in_words = function(list)
  if #list < 2 then return list[1] end
  return table.concat(list, ", ", 1, #list - 1) .. " and " .. list[#list]
end

--- Why a stack cannot be deleted because of its exports; nil when it can.
---@return string?
function exports.in_use(stack)
  for _, export in ipairs(stack.region:sorted_exports()) do
    local importers = export.stack == stack and exports.importers(export) or {}
    if #importers > 0 then
      return ("Delete canceled. Cannot delete export %s as it is in use by %s."):format(
        export.name, in_words(importers))
    end
  end
end

return exports

--- The one store: what exists, by region. CloudFormation creates in it; every other service is a view of it.
--
-- A *thing* is what exists in the account (a table, a topic), with or without a stack that owns it; a stack's
-- *resource* is CloudFormation's record of it and points to the thing. A *region* holds things, stacks and
-- exports; names of global services live in a region of their own, "aws-global".

local ids = require "sandbox.ids"

local store = {}

local Store = {}
Store.__index = Store

local Region = {}
Region.__index = Region

local GLOBAL = "aws-global"

---@param options { account: string, seed: integer, importers: fun(export: string): string[] } importers: what stacks
--- elsewhere import an export
function store.new(options)
  return setmetatable({ account = options.account, seed = options.seed, importers = options.importers,
    regions = {} }, Store)
end

--- A stream of chance for one purpose (sandbox.ids).
function Store:stream(name)
  return ids.stream(self.seed, name)
end

--- The region of that name; made when it is first used.
---@param name string
function Store:region(name)
  local region = self.regions[name]
  if not region then
    region = setmetatable({
      name = name, account = self.account, importers = self.importers, partition = store.partition(name),
      global = name ~= GLOBAL and self:region(GLOBAL) or nil,
      things = {},      -- type -> key -> thing
      stacks = {},      -- in the order of creation
      stack_ids = {},   -- id -> stack, deleted ones too
      stack_names = {}, -- name -> the stack that has it now
      name_uses = {},   -- name -> how many stacks have had it
      exports = {},     -- name -> { name, value, stack, importers = { stack id -> stack } }
      change_sets = {}, -- id -> change set, of those that can be read
      mail = {},        -- what SES was given, oldest first
      detections = {},  -- id -> drift detection
      numbers = {},     -- what is numbered -> its last number
      tokens = {},      -- client request token -> what it was used for
    }, Region)
    self.regions[name] = region
  end
  return region
end

local PARTITIONS = {
  { "^cn%-", "aws-cn", "amazonaws.com.cn" }, { "^us%-gov%-", "aws-us-gov", "amazonaws.com" },
}

--- The partition of a region and its URL suffix.
function store.partition(region_name)
  for _, partition in ipairs(PARTITIONS) do
    if region_name:match(partition[1]) then return partition[2], partition[3] end
  end
  return "aws", "amazonaws.com"
end

--- Where things of a kind live: here, or for global services in the region that stands for all.
---@param is_global boolean?
function Region:home(is_global)
  return is_global and self.global or self
end

--- The next number of what is numbered: versions, revisions. None is given twice.
---@param name string
---@return string
function Region:number(name)
  self.numbers[name] = (self.numbers[name] or 0) + 1
  return tostring(self.numbers[name])
end

---@return table? thing
function Region:thing(type_name, key)
  return (self.things[type_name] or {})[key]
end

--- Puts a thing { type, key, ... } in. Its key must be free.
function Region:add_thing(thing)
  local of_type = self.things[thing.type] or {}
  self.things[thing.type] = of_type
  assert(not of_type[thing.key], "a thing of that key exists")
  of_type[thing.key] = thing
end

function Region:remove_thing(thing)
  self.things[thing.type][thing.key] = nil
end

--- Adds a stack; its name is taken from now on.
function Region:add_stack(stack)
  self.stacks[#self.stacks + 1] = stack
  self.stack_ids[stack.id] = stack
  self.stack_names[stack.name] = stack
end

--- Counts one more use of a stack's name; a name may be used again when its stack is gone.
function Region:use_name(name)
  self.name_uses[name] = (self.name_uses[name] or 0) + 1
  return self.name_uses[name]
end

--- The stack that a request means: by id also one that is deleted, by name only one that is not.
---@return table? stack
function Region:stack(name_or_id)
  return self.stack_ids[name_or_id] or self.stack_names[name_or_id]
end

--- Frees a deleted stack's name. The record stays readable by its id.
function Region:free_name(stack)
  if self.stack_names[stack.name] == stack then self.stack_names[stack.name] = nil end
end

--- The exports, by name.
function Region:sorted_exports()
  local out = {}
  for _, export in pairs(self.exports) do out[#out + 1] = export end
  table.sort(out, function(a, b) return a.name < b.name end)
  return out
end

return store

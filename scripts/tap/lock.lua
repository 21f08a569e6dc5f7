--- One run at a time on a stack. Between runs of one machine the lock is a row of the journal; between machines, when
-- the stack file names a DynamoDB table (`lock_table`, key `id`), an item with a lease that is renewed and that ends
-- by itself. Who holds it is said; it is broken only knowingly, with --break-lock.

local errors = require "tap.error"
local journal = require "tap.journal"
local json = require "tap.core.json"
local sys = require "tap.core.sys"
local task = require "tap.task"
local text = require "tap.core.text"

local lock = {}

local LEASE = 300 -- seconds that a lease lasts; it is renewed after a third of them

local function me(ctx)
  return { run = ctx.run_id, pid = sys.pid(), host = journal.host(), who = journal.who() }
end

local function raise_held(name, owner, since)
  errors.raise { class = "busy", code = "Locked",
    message = ("%s is locked by run %s of %s on %s, since %s"):format(name, owner.run or "?", owner.who or "?",
      owner.host or "?", since and text.iso_time(since) or "?"),
    hints = json.list { "wait for it, or --if-busy wait; if that run is dead for certain: --break-lock" } }
end

---------------------------------------------------------------------------------------------------------
-- On this machine

local function take_row(book, name, owner)
  local held = book:run("SELECT * FROM locks WHERE name = ?", name)[1]
  if held and held.run ~= owner.run and journal.is_alive(held) ~= false then return held end
  book:run("INSERT OR REPLACE INTO locks (name, run, pid, host, who, at) VALUES (?, ?, ?, ?, ?, ?)", name, owner.run,
    owner.pid, owner.host, owner.who, task.now())
  return nil
end

local machine = {}

-- Without a journal that can be written there is no lock on the machine: it is said, and AWS itself refuses a second
-- operation on a stack.
function machine.take(_, name, owner, ctx)
  local held, e = errors.try(function()
    local book <close> = journal.open() -- luacheck: ignore
    return book:atomically(function() return take_row(book, name, owner) end)
  end)
  if e then ctx.out:warn("other runs of this machine are not kept away: " .. tostring(e)) end
  return held, held and held.at
end

function machine.release(_, name, owner)
  local book <close> = journal.open()
  book:run("DELETE FROM locks WHERE name = ? AND run = ?", name, owner.run)
end

function machine.break_it(_, name)
  local book <close> = journal.open()
  book:run("DELETE FROM locks WHERE name = ?", name)
end

---------------------------------------------------------------------------------------------------------
-- Between machines

local function item_of(name, owner)
  return { id = { S = name }, run = { S = owner.run }, host = { S = owner.host }, who = { S = owner.who },
    at = { N = ("%.0f"):format(task.now()) }, expires = { N = ("%.0f"):format(task.now() + LEASE) } }
end

local between = {}

function between.take(table_name, name, owner, ctx)
  local dynamodb = ctx:client "dynamodb"
  local _, e = errors.try(dynamodb.put_item, dynamodb, { TableName = table_name, Item = item_of(name, owner),
    ConditionExpression = "attribute_not_exists(id) OR expires < :now OR run = :run",
    ExpressionAttributeValues = { [":now"] = { N = ("%.0f"):format(task.now()) }, [":run"] = { S = owner.run } } })
  if not e then return nil end
  if e.code ~= "ConditionalCheckFailedException" then error(e, 0) end
  local item = dynamodb:get_item({ TableName = table_name, Key = { id = { S = name } }, ConsistentRead = true }).Item
  if not item then return { run = "?" } end
  return { run = item.run.S, host = item.host.S, who = item.who.S }, tonumber(item.at.N)
end

function between.release(table_name, name, owner, ctx)
  local dynamodb = ctx:client "dynamodb"
  errors.try(dynamodb.delete_item, dynamodb, { TableName = table_name, Key = { id = { S = name } },
    ConditionExpression = "run = :run", ExpressionAttributeValues = { [":run"] = { S = owner.run } } })
end

function between.break_it(table_name, name, ctx)
  ctx:client("dynamodb"):delete_item { TableName = table_name, Key = { id = { S = name } } }
end

-- Keeps the lease alive beside the run, until it is cancelled.
local function keep(ctx, table_name, name, owner)
  return task.current():spawn(function()
    while true do
      task.sleep(LEASE / 3)
      local held, e = errors.try(between.take, table_name, name, owner, ctx)
      if held or e then ctx.out:warn("the lock's lease could not be renewed: " .. tostring(e or "it was broken")) end
    end
  end)
end

---------------------------------------------------------------------------------------------------------

local function take(kind, where, name, owner, ctx, patient)
  local began = task.monotonic()
  while true do
    local held, since = kind.take(where, name, owner, ctx)
    if not held then return end
    if not patient or task.monotonic() - began > patient then raise_held(name, held, since) end
    task.sleep(5)
  end
end

--- Takes the lock for the rest of the run, and gives it back at its end.
---@param ctx tap.Context
---@param stack_name string
---@param options { table_name: string?, wait: number?, break_it: boolean? } table_name: DynamoDB's; wait: seconds to
---  wait for whoever holds it; break_it: take it from them
function lock.hold(ctx, stack_name, options)
  local name = ("%s %s"):format(ctx:where(), stack_name)
  local owner, kinds = me(ctx), {}
  if ctx.run.recorder.journal then kinds[1] = { machine } end
  if options.table_name then kinds[#kinds + 1] = { between, options.table_name } end
  for _, entry in ipairs(kinds) do
    local kind, where = entry[1], entry[2]
    if options.break_it then kind.break_it(where, name, ctx) end
    take(kind, where, name, owner, ctx, options.wait)
    local keeper = where and keep(ctx, where, name, owner)
    ctx:finally(function()
      if keeper then keeper:cancel() end
      kind.release(where, name, owner, ctx)
    end)
  end
end

return lock

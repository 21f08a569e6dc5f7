--- Several stacks, each by its stack file: which needs which, and each deployed as a run of its own, so that what
-- happens to one is told for itself and can be resumed by itself. What a stack needs is read from its file: the stacks
-- whose outputs it takes, and those that `depends_on` names.

local errors = require "tap.error"
local exit = require "tap.exit"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local stack_file = require "tap.stack_file"
local sys = require "tap.core.sys"
local task = require "tap.task"
local util = require "tap.util"

local fleet = {}

---@class tap.Member
---@field name string of the stack
---@field path string of its file
---@field needs string[] names of other members, sorted
---@field status "waiting"|"done"|"failed"|"left out"
---@field outcome string? as tap.exit names it
---@field seconds number?
---@field said string? what its run wrote

local SUFFIX = "%.stack%.lua$"

local function files_of(words)
  local files = {}
  for _, word in ipairs(words) do
    local names = errors.try(sys.list_dir, word)
    if not names then files[#files + 1] = word end
    for _, name in ipairs(names or {}) do
      if name:find(SUFFIX) then files[#files + 1] = (word == "." and "" or word:gsub("/$", "") .. "/") .. name end
    end
  end
  return files
end

-- The names of the stacks whose outputs a file's values take.
local function named_in(file, into)
  for _, field in ipairs { "parameters", "tags" } do
    for _, value in pairs(file[field] or {}) do
      if type(value) == "table" and value.output and type(value.stack) == "string" then into[value.stack] = true end
    end
  end
  return into
end

local function load(ctx, path)
  local file = stack_file.load(path)
  if not file.stack_name then
    errors.raise { class = "usage", code = "BadStackFile", message = path .. ": it has no stack_name" }
  end
  local named = named_in(file, {})
  for _, name in ipairs(file.depends_on or {}) do named[name] = true end
  return { name = stack_file.value(ctx, file.stack_name, path .. ": stack_name"), path = path, file = file,
    named = named, status = "waiting" }
end

-- A stack that is not among them is somebody else's, and there already; one that depends_on names has to be.
local function link(members)
  local by_name = {}
  for _, member in ipairs(members) do
    if by_name[member.name] then
      errors.raise { class = "usage", code = "BadStackFile", message = ("%s and %s are both of stack %s"):format(
        by_name[member.name].path, member.path, member.name) }
    end
    by_name[member.name] = member
  end
  for _, member in ipairs(members) do
    for _, name in ipairs(member.file.depends_on or {}) do
      if not by_name[name] then
        errors.raise { class = "usage", code = "BadStackFile", message = ("%s: depends_on names '%s', which is not "
          .. "among the stacks%s"):format(member.path, tostring(name), util.suggest(tostring(name),
            util.sorted_keys(by_name))) }
      end
    end
    member.needs = json.list {}
    for _, name in ipairs(util.sorted_keys(member.named)) do
      if by_name[name] then table.insert(member.needs, name) end
    end
  end
  return by_name
end

-- Raises when stacks wait for each other: what is left when everything that can come has come.
local function check_cycles(members)
  local placed, rest, moved = {}, members, true
  while moved and #rest > 0 do
    local later = {}
    for _, member in ipairs(rest) do
      local ready = true
      for _, name in ipairs(member.needs) do ready = ready and placed[name] end
      if not ready then later[#later + 1] = member end
    end
    for _, member in ipairs(rest) do placed[member.name] = true end
    for _, member in ipairs(later) do placed[member.name] = nil end
    moved, rest = #later < #rest, later
  end
  if #rest == 0 then return end
  local names = {}
  for index, member in ipairs(rest) do names[index] = member.name end
  errors.raise { class = "usage", code = "Cycle", message = "these stacks wait for each other: "
    .. table.concat(names, ", ") }
end

--- Reads stack files.
---@param ctx tap.Context
---@param words string[] files, and folders of them
---@return tap.Member[]
function fleet.read(ctx, words)
  local members = {}
  for index, path in ipairs(files_of(words)) do members[index] = load(ctx, path) end
  if #members == 0 then
    errors.raise { class = "usage", code = "BadArguments", message = ("no stack files (*.stack.lua) in %s"):format(
      table.concat(words, ", ")) }
  end
  link(members)
  check_cycles(members)
  return members
end

---------------------------------------------------------------------------------------------------------
-- Deploying

local function outcome_of(code)
  for name, value in pairs(exit.CODES) do
    if value == code then return name end
  end
  return "failed"
end

local GOOD = { ok = true, changes = true }

local function run_member(member, options)
  local began = task.monotonic()
  local words = { sys.executable(), "deploy", "--stack-file", member.path, table.unpack(options.argv(member)) }
  words.env = options.env
  local result = proc.run(words)
  member.seconds = util.round(task.monotonic() - began)
  member.outcome = result.code and outcome_of(result.code) or "terminated"
  member.said = result.out .. result.err
  member.status = GOOD[member.outcome] and "done" or "failed"
end

-- What keeps a member from its turn: nil when nothing does; "waiting" or, for good, the name of what it needs.
local function obstacle(member, by_name)
  local waits
  for _, name in ipairs(member.needs) do
    local status = by_name[name].status
    if status == "failed" or status == "left out" then return name end
    waits = waits or status == "waiting" and "waiting" or nil
  end
  return waits
end

-- The next one whose turn it is. Those that can never have one are left out on the way.
local function next_of(members, by_name, tell)
  for _, member in ipairs(members) do
    if member.status == "waiting" and not member.started then
      local kept = obstacle(member, by_name)
      if not kept then return member end
      if kept ~= "waiting" then
        member.status, member.outcome = "left out", nil
        tell(member, kept)
      end
    end
  end
  return nil
end

--- Deploys them, those that others need first, as many at once as wanted. One that fails holds up those that need it,
-- and nobody else.
---@param members tap.Member[]
---@param options { at_once: integer, argv: fun(member: tap.Member): string[], env: table<string, string>?,
---  tell: fun(member: tap.Member, kept_by: string?) } argv: further words of a deployment; tell: is called when one
---  begins, has ended, or is left out because of another one
function fleet.deploy(members, options)
  local by_name, working = {}, 0
  for _, member in ipairs(members) do by_name[member.name] = member end
  task.scope(function(scope)
    local function start_all()
      local member = working < options.at_once and next_of(members, by_name, options.tell)
      while member do
        local one = member
        one.started, working = true, working + 1
        options.tell(one)
        scope:spawn(function()
          run_member(one, options)
          working = working - 1
          options.tell(one)
          start_all()
        end)
        member = working < options.at_once and next_of(members, by_name, options.tell)
      end
    end
    start_all()
  end)
end

return fleet

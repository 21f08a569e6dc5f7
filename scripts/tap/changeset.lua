--- One change set: made with a name that says whose it is, read as a tree with its nested ones, executed only
-- if it is still what was shown, and removed when it is not used, together with the empty stack it made.

local crypto = require "tap.core.crypto"
local errors = require "tap.error"
local json = require "tap.core.json"
local task = require "tap.task"

local changeset = {}
changeset.__index = changeset

local FIRST_INTERVAL, LAST_INTERVAL, GROWTH = 0.5, 3, 1.6 -- seconds between two polls
local LIMIT = 15 * 60 -- seconds in which the service must have computed it
local SHELL_LIMIT = 60 -- seconds for a stack without resources to go
local MAX_DEPTH = 6 -- of nested change sets
local NO_CHANGES = { "didn't contain changes", "No updates are to be performed" }
local DOING = { CREATE_PENDING = true, CREATE_IN_PROGRESS = true }

local function pause()
  local interval = FIRST_INTERVAL
  return function()
    task.sleep(interval)
    interval = math.min(interval * GROWTH, LAST_INTERVAL)
  end
end

--- A name that is unique, that people recognise, and that keeps to the service's pattern.
---@param run_id string
---@return string
function changeset.name(run_id)
  return "tap-" .. run_id:gsub("[^%w]+", "-")
end

local function new(cfn, id, fields)
  local self = setmetatable({ cfn = cfn, id = id }, changeset)
  for name, value in pairs(fields or {}) do self[name] = value end
  return self
end

--- One that may or may not be there, because the answer to its making never came.
---@param cfn table
---@param name string
---@param stack_name string
---@param creates boolean it was to create the stack
---@return table changeset
function changeset.named(cfn, name, stack_name, creates)
  return new(cfn, name, { stack_name = stack_name, creates = creates })
end

-- All pages in one description.
local function describe(cfn, id, stack_name)
  local whole
  for page in cfn:pages("describe_change_set", { ChangeSetName = id, StackName = stack_name,
    IncludePropertyValues = true }) do
    if whole then
      table.move(page.Changes or {}, 1, #(page.Changes or {}), #whole.Changes + 1, whole.Changes)
    else
      whole = page
      whole.Changes = whole.Changes or json.list {}
    end
  end
  return whole
end

--- Waits until the service has computed a change set.
---@return table description as DescribeChangeSet gives it
function changeset:wait()
  local wait_a_little, deadline = pause(), task.monotonic() + LIMIT
  while true do
    local answer = self.cfn:describe_change_set { ChangeSetName = self.id }
    if not DOING[answer.Status] then break end
    if task.monotonic() > deadline then
      errors.raise { class = "timeout", code = "ChangeSetTimeout",
        message = ("%s: the change set was not ready after 15m"):format(self.id) }
    end
    wait_a_little()
  end
  self.description = describe(self.cfn, self.id)
  return self.description
end

--- Do the service's words mean that there is nothing to do?
---@param reason string?
---@return boolean
function changeset.says_no_changes(reason)
  for _, words in ipairs(NO_CHANGES) do
    if (reason or ""):find(words, 1, true) then return true end
  end
  return false
end

--- Has the service found that there is nothing to do?
---@return boolean
function changeset:is_empty()
  return self.description.Status == "FAILED" and changeset.says_no_changes(self.description.StatusReason)
end

--- What early validation found, as lines; empty when the caller may not read it or there is nothing.
---@return string[]
function changeset:validation_lines()
  local lines = {}
  local answer = errors.try(self.cfn.describe_events, self.cfn, { ChangeSetName = self.id })
  for _, event in ipairs(answer and answer.OperationEvents or {}) do
    if event.EventType == "VALIDATION_ERROR" and event.ValidationStatus == "FAILED" then
      lines[#lines + 1] = ("%s  %s  %s"):format(event.LogicalResourceId or "?", event.ValidationPath or "",
        event.ValidationStatusReason or event.ValidationName or "")
    end
  end
  return lines
end

--- Makes a change set and waits for it.
---@param cfn table
---@param input table as CreateChangeSet takes it
---@param creates boolean the stack is not there yet
---@return table changeset with its description; whether it is usable is the caller's to look at
function changeset.make(cfn, input, creates)
  local answer, e = errors.try(cfn.create_change_set, cfn, input)
  if e and e.code == "AlreadyExistsException" then -- its name is of this run: an answer was lost
    local found = cfn:describe_change_set { ChangeSetName = input.ChangeSetName, StackName = input.StackName }
    answer = { Id = found.ChangeSetId, StackId = found.StackId }
  elseif e then
    error(e, 0)
  end
  local self = new(cfn, answer.Id, { stack_id = answer.StackId, creates = creates })
  self:wait()
  return self
end

--- A change set that exists, by its name (then the stack's too) or ARN; one that is still being computed is waited for.
-- Raises class "failed" when there is none.
---@param cfn table
---@param name string
---@param stack_name string?
---@return table changeset
function changeset.find(cfn, name, stack_name)
  local description = describe(cfn, name, stack_name)
  local self = new(cfn, description.ChangeSetId, { stack_id = description.StackId, description = description })
  if DOING[description.Status] then self:wait() end
  return self
end

---------------------------------------------------------------------------------------------------------
-- What it will do

local function collect(cfn, description, depth, found)
  for _, item in ipairs(description.Changes) do
    local change = item.ResourceChange
    if change then
      found[#found + 1] = { change = change, depth = depth, stack = description.StackName }
      if change.ChangeSetId and depth < MAX_DEPTH then
        collect(cfn, describe(cfn, change.ChangeSetId), depth + 1, found)
      end
    end
  end
  return found
end

--- All changes, those of nested stacks behind their own stack's.
---@return { change: table, depth: integer, stack: string }[]
function changeset:changes()
  self.collected = self.collected or collect(self.cfn, self.description, 0, {})
  return self.collected
end

-- A text that is the same for equal values, whatever the order of their keys was.
local function canonical(value)
  if type(value) ~= "table" then return json.encode(value) end
  local parts = {}
  if json.is_list(value) then
    for index, item in ipairs(value) do parts[index] = canonical(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for index, key in ipairs(keys) do parts[index] = json.encode(key) .. ":" .. canonical(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function template_of(cfn, id)
  local answer = cfn:get_template { ChangeSetName = id, TemplateStage = "Original" }
  local body = answer.TemplateBody
  return type(body) == "table" and canonical(body) or tostring(body)
end

--- What a person has agreed to, as a number: the changes, the template, the parameters, and the stack that
-- they were computed for. It is made of what AWS holds, so that another machine gets the same one.
---@param stack_description table as DescribeStacks gives it, now
---@return string fingerprint 64 hexadecimal digits
function changeset:fingerprint(stack_description)
  local d = self.description
  local changes = {}
  for index, item in ipairs(self:changes()) do changes[index] = canonical(item.change) end
  return crypto.sha256(table.concat({
    d.ChangeSetId, table.concat(changes, "\n"), template_of(self.cfn, d.ChangeSetId), canonical(d.Parameters or {}),
    canonical(d.Tags or {}), stack_description.StackStatus, tostring(stack_description.LastUpdatedTime or 0),
    stack_description.ChangeSetId or "",
  }, "\0"))
end

--- Raises class "refused" unless everything still is what the fingerprint was made of, and "busy" or "failed"
-- when the change set can no longer be executed.
---@param fingerprint string
---@param stack_description table read just now
function changeset:check_unchanged(fingerprint, stack_description)
  self.description, self.collected = describe(self.cfn, self.id), nil
  self:check_executable()
  if self:fingerprint(stack_description) == fingerprint then return end
  errors.raise { class = "refused", code = "PlanChanged",
    message = ("%s: the change set, its template or the stack is no longer what was shown"):format(
      stack_description.StackName),
    hints = { "look at the changes again, and decide again" } }
end

-- Execution status -> why it cannot be executed.
local NOT_EXECUTABLE = {
  OBSOLETE = "the stack has been changed since it was made: make a new one",
  EXECUTE_COMPLETE = "it has been executed already", EXECUTE_FAILED = "it has been executed, and failed",
  EXECUTE_IN_PROGRESS = "it is being executed", UNAVAILABLE = "it is not complete",
}

--- Raises class "refused" when the service would not execute it.
function changeset:check_executable()
  local d = self.description
  if d.ExecutionStatus == "AVAILABLE" then return end
  errors.raise { class = "refused", code = "NotExecutable", message = ("change set %s of %s: %s%s"):format(
    d.ChangeSetName, d.StackName, NOT_EXECUTABLE[d.ExecutionStatus] or d.ExecutionStatus,
    d.StatusReason and "; " .. d.StatusReason or "") }
end

---------------------------------------------------------------------------------------------------------
-- Its end

-- Deletes a stack that only held change sets. It has no resources: that is a matter of seconds.
local function delete_shell(cfn, stack_id)
  cfn:delete_stack { StackName = stack_id }
  local wait_a_little, deadline = pause(), task.monotonic() + SHELL_LIMIT
  while task.monotonic() < deadline do
    local answer = errors.try(cfn.describe_stacks, cfn, { StackName = stack_id })
    if not answer or answer.Stacks[1].StackStatus ~= "DELETE_IN_PROGRESS" then return end
    wait_a_little()
  end
end

--- Removes it, and the stack without resources that it was made in, when no other change set is there.
function changeset:remove()
  local stack = self.stack_id or self.stack_name
  self.cfn:delete_change_set { ChangeSetName = self.id, StackName = stack }
  if not self.creates then return end
  local answer = errors.try(self.cfn.describe_stacks, self.cfn, { StackName = stack })
  if not answer or answer.Stacks[1].StackStatus ~= "REVIEW_IN_PROGRESS" then return end
  local others = self.cfn:list_change_sets { StackName = stack }
  if #(others.Summaries or {}) == 0 then delete_shell(self.cfn, answer.Stacks[1].StackId) end
end

return changeset

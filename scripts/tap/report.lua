--- What the user sees: for people, or one JSON object a line (jsonl), or one result object (json).
--
-- A workflow that changes something tells its progress on stdout, in order. With `json`, stdout holds the one
-- result and the progress goes to stderr; a query (status, outputs, ...) keeps stdout for its result too.
-- Every line also goes to the log, and nothing secret reaches either.

local core_log = require "tap.core.log"
local errors = require "tap.error"
local exit = require "tap.exit"
local json = require "tap.core.json"
local log = require "tap.log"
local sys = require "tap.core.sys"
local task = require "tap.task"
local text = require "tap.core.text"

local report = {}
report.__index = report

local STDOUT, STDERR = 1, 2

local RED, GREEN, YELLOW, BOLD, DIM = 31, 32, 33, 1, 2

--- Makes the report of a run.
---@param options { mode: "human"|"json"|"jsonl", query: boolean?, run: string? }
---@return table
function report.new(options)
  local self = setmetatable({ mode = options.mode or "human", run = options.run }, report)
  self.progress = (options.query or self.mode == "json") and STDERR or STDOUT
  self.widths = { status = #"ROLLBACK_IN_PROGRESS", type = 0, id = 0 }
  return self
end

local function color_for(fd)
  local no_color = sys.getenv("NO_COLOR")
  return (no_color == nil or no_color == "") and sys.getenv("TERM") ~= "dumb" and sys.isatty(fd)
end

--- Sends the progress of a query to stdout: it is what was asked for. With `json` the one result stays alone there.
function report:to_stdout()
  if self.mode == "human" then self.progress = STDOUT end
end

local function paint(fd, code, words)
  return color_for(fd) and ("\27[%dm%s\27[0m"):format(code, words) or words
end

local gone = {} -- descriptors whose reader has left: `create ... | head`

local shown_below -- a view that stands below everything that is written (tap.live)

--- The run does not end because nobody reads on: what it has begun in AWS goes on, and the log has it all.
local function put(fd, line, as_it_is)
  if gone[fd] then return end
  if shown_below then shown_below:clear() end
  local _, problem = errors.try(sys.write, fd, (as_it_is and line or core_log.redact(line)) .. "\n")
  if problem then
    gone[fd] = true
    log.warn("output is lost from here on: " .. problem.message)
  end
end

--- Keeps a view below everything that is written from here on; nil takes it away.
---@param view table? tap.live
function report.show_below(_, view)
  if shown_below then shown_below:clear() end
  shown_below = view
end

--- Draws the view again, when there is one.
function report.refresh()
  if shown_below then shown_below:draw() end
end

local function put_object(self, kind, fields)
  local object = { type = kind, run = self.run, time = text.iso_time(task.now(), true) }
  for name, value in pairs(fields) do object[name] = value end
  put(STDOUT, json.encode(object))
end

--- One line of progress.
---@param line string
---@param fields table? for the machine's form and the log
function report:note(line, fields)
  log.info(line, fields)
  if self.mode ~= "jsonl" then return put(self.progress, line) end
  local object = { message = line }
  for name, value in pairs(fields or {}) do object[name] = value end
  put_object(self, "note", object)
end

--- Something that does not stop the run and should be seen.
---@param line string
---@param fields table?
function report:warn(line, fields)
  log.warn(line, fields)
  if self.mode == "jsonl" then return put_object(self, "warning", { message = line }) end
  put(STDERR, paint(STDERR, YELLOW, "warning: ") .. line)
end

---------------------------------------------------------------------------------------------------------
-- Stack events

--- Makes room for the longest type and logical id, so that columns stand still from the first line on.
---@param resources { type: string, id: string }[]
function report:expect(resources)
  for _, resource in ipairs(resources) do
    self.widths.type = math.max(self.widths.type, #resource.type)
    self.widths.id = math.max(self.widths.id, #resource.id)
  end
end

local function status_color(status)
  if status:find("FAILED") or status:find("ROLLBACK") then return RED end
  return status:find("_COMPLETE$") and GREEN or DIM
end

local function event_line(self, event, fd, depth)
  local widths, status = self.widths, event.ResourceStatus
  widths.status = math.max(widths.status, #status)
  self:expect { { type = event.ResourceType or "", id = event.LogicalResourceId or "" } }
  local function cell(words, width) return words .. (" "):rep(width - #words) end -- rep of less than 0 is ""
  local line = table.concat({
    os.date("%H:%M:%S", math.floor(event.Timestamp)),
    paint(fd, status_color(status), status) .. (" "):rep(widths.status - #status),
    cell(event.ResourceType or "", widths.type),
    cell(("  "):rep(depth) .. (event.LogicalResourceId or ""), widths.id),
    event.ResourceStatusReason or "",
  }, "  ")
  return (line:gsub("%s+$", ""))
end

--- An event with the names that the machine's form uses.
---@param event table as DescribeStackEvents gives it
---@return table
function report.event_fields(event)
  return {
    event_time = text.iso_time(event.Timestamp, true), stack = event.StackName, stack_id = event.StackId,
    event_id = event.EventId, status = event.ResourceStatus, resource_type = event.ResourceType,
    logical_id = event.LogicalResourceId, physical_id = event.PhysicalResourceId,
    reason = event.ResourceStatusReason, detailed_status = event.DetailedStatus,
  }
end

--- One stack event as it comes.
---@param event table as DescribeStackEvents gives it
---@param fd integer? where the human form goes; default: with the progress
---@param depth integer? of the nested stack that it is of
function report:event(event, fd, depth)
  local fields = report.event_fields(event)
  fields.depth = depth and depth > 0 and depth or nil
  log.info("stack event", fields)
  if shown_below then shown_below:event(event) end
  if self.mode == "jsonl" then return put_object(self, "event", fields) end
  fd = fd or self.progress
  put(fd, event_line(self, event, fd, depth or 0))
end

---------------------------------------------------------------------------------------------------------
-- Results and failures

--- A value for a person when the workflow has no better way to show it.
local function show(value)
  if type(value) ~= "table" then return tostring(value) end
  return json.encode(value, { indent = 2 })
end

--- The result of the run. `words` is how a person reads it; without it the value is shown as JSON. Words
-- without a value are the result themselves: a text that is what was asked for, so it is not logged, and a
-- presigned URL in it is shown whole.
---@param value any nil: nothing to show
---@param words string?
function report:finish(value, words)
  log.info("done", type(value) == "table" and { result = value } or nil)
  if self.mode == "jsonl" then return put_object(self, "result", { result = value }) end
  if self.mode == "json" and (value ~= nil or not words) then
    return put(STDOUT, json.encode(value == nil and json.null or value, { indent = 2 }))
  end
  words = words or (value ~= nil and show(value)) or ""
  if words ~= "" then put(STDOUT, words, value == nil) end
end

--- An error with the fields that the machine's form and the log show.
---@param e table a structured error
---@return table
function report.error_fields(e)
  local fields = { message = tostring(e), exit = exit.code(e), outcome = exit.outcome(e) }
  for _, name in ipairs { "code", "class", "service", "operation", "status", "request_id", "file", "line",
    "column", "hints", "problems", "failures" } do
    fields[name] = rawget(e, name)
  end
  return fields
end

--- Why the run failed, and what to do next.
---@param e any
---@param more string[]? further lines, for instance what goes on in AWS
function report:failure(e, more)
  e = errors.from(e)
  local fields = report.error_fields(e)
  if more and #more > 0 then fields.going_on = json.list(more) end
  log.error(fields.message, { code = fields.code, class = fields.class, exit = fields.exit,
    traceback = rawget(e, "traceback") })
  if self.mode == "json" then put(STDOUT, json.encode({ error = fields }, { indent = 2 })) end
  if self.mode == "jsonl" then return put_object(self, "error", fields) end
  put(STDERR, paint(STDERR, RED, "error: ") .. fields.message:gsub("\n", "\n       "))
  for _, lines in ipairs { rawget(e, "hints") or {}, more or {} } do
    for _, line in ipairs(lines) do put(STDERR, "  " .. line) end
  end
end

--- A line of advice after a failure, for people only.
---@param line string
function report:hint(line)
  if self.mode ~= "jsonl" then put(STDERR, "  " .. line) end
end

--- A question that needs a yes; the caller has made sure that a person is there.
---@param question string
---@return boolean
function report.ask(question)
  if shown_below then shown_below:clear() end
  local answer = sys.read_line(paint(STDERR, BOLD, core_log.redact(question)) .. " [y/N] ") or ""
  return answer:lower():match("^%s*y") ~= nil
end

--- A question with several answers; the first one is what an empty answer means.
---@param question string
---@param choices { [1]: string, [2]: string }[] letter and words
---@return string letter
function report.choose(question, choices)
  local view = shown_below
  report:show_below(nil)
  local restored <close> = setmetatable({}, { __close = function() report:show_below(view) end }) -- luacheck: ignore
  local words = {}
  for index, choice in ipairs(choices) do words[index] = ("[%s] %s"):format(choice[1], choice[2]) end
  while true do
    local answer = sys.read_line(("%s\n  %s: "):format(paint(STDERR, BOLD, core_log.redact(question)),
      table.concat(words, ", ")))
    local letter = (answer or choices[2][1]):lower():match("^%s*(%S?)")
    if letter == "" then return choices[1][1] end
    for _, choice in ipairs(choices) do
      if letter == choice[1] then return letter end
    end
  end
end

return report

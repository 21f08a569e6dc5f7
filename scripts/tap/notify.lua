--- Tells people how a run has ended: the SNS topic that the stack names in an output, else TAP_SNS_TOPIC_ARN, else mail
-- through SES to TAP_NOTIFY_EMAIL, the first that takes it; and a webhook, Slack, a file, a command, any of them. A
-- message that cannot be delivered is told and changes nothing: the run's outcome is what AWS did.

local collection = require "tap.collection"
local core_log = require "tap.core.log"
local errors = require "tap.error"
local http = require "tap.core.http"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local task = require "tap.task"
local text = require "tap.core.text"
local util = require "tap.util"

local notify = {}

local DEFAULT_OUTPUTS = { "NotificationTopicArn", "SNSTopicArn", "AlarmTopicArn", "TopicArn" }
local MAX_SUBJECT = 99 -- characters that SNS takes are fewer than 100
local MAX_MESSAGE = 32 * 1024 -- of 256 KiB: a page for a person
local HTTP_LIMIT = 10 -- seconds

---@class tap.Notice
---@field stack_name string
---@field stack_id string?
---@field region string?
---@field status string? of the stack
---@field outcome string a key of tap.exit.CODES: "ok", "rolled_back", ...
---@field verb string "deploy"
---@field seconds number?
---@field cause string? why it failed
---@field run string
---@field outputs table<string, string>?

---------------------------------------------------------------------------------------------------------
-- The message

local function console_link(notice)
  if not notice.stack_id or not notice.region then return nil end
  local host = notice.region:find("^cn%-") and "console.amazonaws.cn" or notice.region:find("^us%-gov%-")
    and "console.amazonaws-us-gov.com" or "console.aws.amazon.com"
  return ("https://%s.%s/cloudformation/home?region=%s#/stacks/stackinfo?stackId=%s"):format(notice.region, host,
    notice.region, require("tap.core.crypto").uri_encode(notice.stack_id))
end

local function cut(words, limit)
  if #words <= limit then return words end
  local at = limit - 4
  while at > 0 and words:byte(at + 1) & 0xC0 == 0x80 do at = at - 1 end -- not inside of a character
  return words:sub(1, at) .. " ..."
end

--- One line.
---@param notice tap.Notice
---@return string at most 99 characters, printable ASCII, as SNS demands
function notify.subject(notice)
  local words = ("%s: %s %s%s"):format(notice.outcome == "ok" and "OK" or "FAILED", notice.verb, notice.stack_name,
    notice.status and " " .. notice.status or "")
  return cut(core_log.redact(words):gsub("[^\32-\126]", " "), MAX_SUBJECT)
end

--- The whole of it, for a person.
---@param notice tap.Notice
---@return string
function notify.body(notice)
  local rows = {}
  local function row(name, value)
    if value then rows[#rows + 1] = { name, tostring(value) } end
  end
  row("Stack", notice.stack_name)
  row("Status", notice.status)
  row("Outcome", notice.outcome)
  row("Region", notice.region)
  row("Duration", notice.seconds and util.show_duration(notice.seconds))
  row("Run", notice.run)
  row("Console", console_link(notice))
  local lines = util.columns(rows)
  if notice.cause then
    lines[#lines + 1] = ""
    lines[#lines + 1] = notice.cause
  end
  return cut(core_log.redact(table.concat(lines, "\n")), MAX_MESSAGE)
end

---------------------------------------------------------------------------------------------------------
-- Where to. Each: function(ctx, notice, setting) that sends, or raises.

local senders = {}

local function environment(name)
  local value = sys.getenv(name)
  return value ~= "" and value or nil
end

function senders.sns(ctx, notice, arn)
  local region = arn:match("^arn:[^:]+:sns:([^:]+):")
  if not region then
    errors.raise { class = "usage", code = "BadTopic", message = ("'%s' is no topic's ARN"):format(arn) }
  end
  ctx:client("sns", { region = region }):publish { TopicArn = arn, Subject = notify.subject(notice),
    Message = notify.body(notice) }
end

function senders.email(ctx, notice, address)
  local addresses = json.list {}
  for one in address:gmatch "[^,%s]+" do addresses[#addresses + 1] = one end
  ctx:client("sesv2"):send_email {
    FromEmailAddress = environment "TAP_NOTIFY_FROM" or addresses[1], Destination = { ToAddresses = addresses },
    Content = { Simple = { Subject = { Data = notify.subject(notice) },
      Body = { Text = { Data = notify.body(notice) } } } } }
end

local function post(url, body)
  core_log.secret(url)
  local answer = http.request { url = url, method = "POST", timeout = HTTP_LIMIT, body = body,
    headers = { ["Content-Type"] = "application/json" } }
  if answer.status >= 300 then
    errors.raise { class = "failed", code = "Refused", message = ("it answered %d"):format(answer.status) }
  end
end

local function redacted(value)
  if type(value) == "string" then return core_log.redact(value) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, member in pairs(value) do copy[name] = redacted(member) end
  return copy
end

-- The notice for a program.
local function as_json(notice)
  local copy = redacted(notice)
  copy.time, copy.console = text.iso_time(task.now()), console_link(notice)
  return json.encode(copy)
end

function senders.webhook(_, notice, url) post(url, as_json(notice)) end

local SLACK_ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

function senders.slack(_, notice, url)
  local words = ("*%s*\n```\n%s\n```"):format(notify.subject(notice), notify.body(notice))
  post(url, json.encode { text = words:gsub("[&<>]", SLACK_ENTITIES) })
end

function senders.file(_, notice, path)
  local file <close> = assert(io.open(path, "a")) -- one write, so that runs side by side do not mix their lines
  assert(file:write(as_json(notice), "\n"))
end

-- A program of the user's gets the notice as JSON on its input.
function senders.command(_, notice, words)
  local argv = type(words) == "table" and { table.unpack(words) } or { words }
  argv.input = as_json(notice)
  local result = task.timeout(HTTP_LIMIT, proc.run, argv)
  if result.code ~= 0 then
    errors.raise { class = "failed", code = "CommandFailed", message = ("it ended with code %d: %s"):format(
      result.code, result.err:sub(1, 200)) }
  end
end

-- The topic that the stack names in an output. A key of the stack file that the stack does not have is a problem,
-- except when the stack has no outputs (any more) at all.
local function topic_of(notice, settings)
  local outputs, key = notice.outputs or {}, settings.output
  if key then
    local is_wrong = not outputs[key] and next(outputs) ~= nil
    return outputs[key], is_wrong and ("the stack has no output %s%s"):format(key,
      util.suggest(key, util.sorted_keys(outputs))) or nil
  end
  for _, usual in ipairs(DEFAULT_OUTPUTS) do
    if (outputs[usual] or ""):find("^arn:[^:]+:sns:") then return outputs[usual] end
  end
end

---@class tap.NoticeTarget
---@field kind string a key of senders
---@field setting any
---@field problem string? why it cannot be reached

--- Where a notice goes.
---@param notice tap.Notice
---@param settings { output: string?, file: string?, command: string|string[]?, on: "always"|"failure"? }
---@return tap.NoticeTarget[][] of each list, the first that takes the notice is enough
function notify.targets(notice, settings)
  local topic, problem = topic_of(notice, settings)
  local candidates = {
    { { "sns", topic, problem }, { "sns", environment "TAP_SNS_TOPIC_ARN" },
      { "email", environment "TAP_NOTIFY_EMAIL" } },
    { { "webhook", environment "TAP_WEBHOOK_URL" } }, { { "slack", environment "TAP_SLACK_WEBHOOK_URL" } },
    { { "file", settings.file } }, { { "command", settings.command } },
  }
  local all = {}
  for _, alternatives in ipairs(candidates) do
    local list = {}
    for _, one in ipairs(alternatives) do
      local kind, setting, trouble = one[1], one[2], one[3]
      if setting or trouble then list[#list + 1] = { kind = kind, setting = setting, problem = trouble } end
    end
    if #list > 0 then all[#all + 1] = list end
  end
  return all
end

local function deliver(ctx, notice, target)
  if target.problem then
    errors.raise { class = "failed", code = "NoTarget", message = target.problem }
  end
  senders[target.kind](ctx, notice, target.setting)
end

-- Goes through alternatives until one takes the notice. Adds what came of each.
local function deliver_one_of(ctx, notice, alternatives, results)
  for _, target in ipairs(alternatives) do
    local _, e = errors.try(deliver, ctx, notice, target)
    local problem = e and core_log.redact(tostring(e))
    results[#results + 1] = { target = target.kind, ok = e == nil, message = problem }
    if not e then
      ctx.log.info("notified", { target = target.kind })
      return
    end
    ctx.out:warn(("the notification by %s was not delivered: %s"):format(target.kind, problem))
  end
end

local FIELDS = { output = "string", file = "string", command = "string or table", on = "string" }
local WHEN = { always = true, failure = true }

--- Checks a stack file's `notify`, before there is something to tell. Raises class "usage".
---@param settings table?
---@param path string of the stack file, for messages
function notify.demand_settings(settings, path)
  if not settings then return end
  collection.check_fields(settings, FIELDS, "BadStackFile", path .. ": notify")
  if settings.on and not WHEN[settings.on] then
    errors.raise { class = "usage", code = "BadStackFile",
      message = ("%s: notify: 'on' is '%s'; it is one of always, failure"):format(path, settings.on) }
  end
end

--- Sends a notice everywhere it goes. Never raises what a target refuses.
---@param ctx tap.Context
---@param notice tap.Notice
---@param settings table? of the stack file
---@return { target: string, ok: boolean, message: string? }[] results
function notify.send(ctx, notice, settings)
  settings = settings or {}
  local results, work = json.list {}, {}
  if settings.on == "failure" and notice.outcome == "ok" then return results end
  for index, alternatives in ipairs(notify.targets(notice, settings)) do
    work[index] = function() deliver_one_of(ctx, notice, alternatives, results) end
  end
  task.all(work)
  return results
end

return notify

--- Tells people how a run has ended: the SNS topic that the stack names in an output, else TAP_SNS_TOPIC_ARN, else mail
-- through SES to TAP_NOTIFY_EMAIL; and a webhook, Slack, a file, a command, any of them. A message that cannot be
-- delivered is told and changes nothing: the run's outcome is what AWS did.

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

function senders.sns(ctx, notice, arn)
  local region = arn:match("^arn:[^:]+:sns:([^:]+):")
  if not region then
    errors.raise { class = "usage", code = "BadTopic", message = ("'%s' is no topic's ARN"):format(arn) }
  end
  ctx:client("sns", { region = region }):publish { TopicArn = arn, Subject = notify.subject(notice),
    Message = notify.body(notice) }
end

function senders.email(ctx, notice, address)
  local from = sys.getenv("TAP_NOTIFY_FROM")
  ctx:client("sesv2"):send_email {
    FromEmailAddress = from and from ~= "" and from or address, Destination = { ToAddresses = { address } },
    Content = { Simple = { Subject = { Data = notify.subject(notice) },
      Body = { Text = { Data = notify.body(notice) } } } } }
end

local function post(url, value)
  core_log.secret(url)
  local answer = http.request { url = url, method = "POST", timeout = HTTP_LIMIT, body = json.encode(value),
    headers = { ["Content-Type"] = "application/json" } }
  if answer.status >= 300 then
    errors.raise { class = "failed", code = "Refused", message = ("it answered %d"):format(answer.status) }
  end
end

local function redacted(notice)
  local copy = {}
  for name, value in pairs(notice) do
    copy[name] = type(value) == "string" and core_log.redact(value) or value
  end
  copy.time, copy.console = text.iso_time(task.now()), console_link(notice)
  return copy
end

function senders.webhook(_, notice, url) post(url, redacted(notice)) end

function senders.slack(_, notice, url)
  post(url, { text = ("*%s*\n```\n%s\n```"):format(notify.subject(notice), notify.body(notice):gsub("[&<>]",
    { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" })) })
end

function senders.file(_, notice, path)
  local before = sys.exists(path) and sys.read_file(path) or ""
  sys.write_file(path, before .. json.encode(redacted(notice)) .. "\n")
end

-- A program of the user's gets the notice as JSON on its input.
function senders.command(_, notice, words)
  local argv = type(words) == "table" and { table.unpack(words) } or { words }
  argv.input = json.encode(redacted(notice))
  local result = task.timeout(HTTP_LIMIT, proc.run, argv)
  if result.code ~= 0 then
    errors.raise { class = "failed", code = "CommandFailed", message = ("it ended with code %d: %s"):format(
      result.code, result.err:sub(1, 200)) }
  end
end

local function environment(name)
  local value = sys.getenv(name)
  return value ~= "" and value or nil
end

-- The topic that the stack names in an output.
local function topic_of(notice, settings)
  local outputs = notice.outputs or {}
  if settings.output then return outputs[settings.output] end
  for _, key in ipairs(DEFAULT_OUTPUTS) do
    if (outputs[key] or ""):find("^arn:[^:]+:sns:") then return outputs[key] end
  end
  return nil
end

--- Where a notice goes.
---@param notice tap.Notice
---@param settings { output: string?, file: string?, command: string|string[]?, on: "always"|"failure"? }
---@return { kind: string, setting: any }[]
function notify.targets(notice, settings)
  local list = {}
  local function add(kind, setting)
    if setting then list[#list + 1] = { kind = kind, setting = setting } end
    return setting
  end
  local _ = add("sns", topic_of(notice, settings) or environment "TAP_SNS_TOPIC_ARN")
    or add("email", environment "TAP_NOTIFY_EMAIL")
  add("webhook", environment "TAP_WEBHOOK_URL")
  add("slack", environment "TAP_SLACK_WEBHOOK_URL")
  add("file", settings.file)
  add("command", settings.command)
  return list
end

--- Sends a notice everywhere it goes. Never raises what a target refuses.
---@param ctx tap.Context
---@param notice tap.Notice
---@param settings table? of the stack file
---@return { target: string, ok: boolean, message: string? }[] results
function notify.send(ctx, notice, settings)
  settings = settings or {}
  local results = json.list {}
  if settings.on == "failure" and notice.outcome == "ok" then return results end
  for index, target in ipairs(notify.targets(notice, settings)) do
    local _, e = errors.try(senders[target.kind], ctx, notice, target.setting)
    results[index] = { target = target.kind, ok = e == nil, message = e and core_log.redact(tostring(e)) }
    if e then
      ctx.out:warn(("the notification by %s was not delivered: %s"):format(target.kind, tostring(e)))
    else
      ctx.log.info("notified", { target = target.kind })
    end
  end
  return results
end

return notify

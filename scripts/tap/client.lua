--- Clients of AWS services, for scripts: an operation is a method, in snake_case or in the API's spelling.
--
--     local cfn = tap.client "cloudformation"
--     local answer = cfn:describe_stacks { StackName = "web" }
--
-- Region, endpoint and credentials come from the run, so that the same script works against AWS and against
-- the sandbox. A call waits, and raises what goes wrong.
--
--     for event in cfn:each("describe_stack_events", { StackName = "web" }) do ... end
--     cfn:wait("stack_create_complete", { StackName = "web" }, { timeout = "30m" })
--
-- A call's input and output are whole in memory, blobs as strings: up to 512 MiB are sent, and up to 64 MiB
-- (the option max_response, at most 512 MiB) received. Where the body is a stream it may be a file of any size instead:
--
--     s3:put_object({ Bucket = "b", Key = "k" }, { from = "web.zip" })
--     s3:get_object({ Bucket = "b", Key = "k" }, { to = "web.zip" })
--
-- tap.s3 moves files to objects and back in parts, several at a time.

local core = require "tap.core.client"
local errors = require "tap.error"
local util = require "tap.util"

local client = {}

local DEFAULT_EXPIRES <const> = 3600 -- seconds that a presigned URL is valid

---@class tap.Client
local methods = {}

--- Looks up the operation once; an unknown one raises with the nearest name. The second result of a call is
-- { request_id, attempts, answer }: an answer that says the same as the one before has its number. Who asks again and
-- again gives the last number, { unless = answer }, and gets nil for it.
local function method(self, name)
  local operation = rawget(self, "core"):operation(name).name
  local function call(this, input, options)
    return rawget(this, "core"):call(operation, input or {}, options)
  end
  rawset(self, name, call)
  return call
end

--- Where its calls go.
---@return string
function methods.region(self)
  return rawget(self, "core"):region()
end

--- The names of the service's operations, sorted.
---@return string[]
function methods.operations(self)
  return rawget(self, "core"):operations()
end

--- Refuses options that there are not.
local function only_option(options, name, whose)
  for option in pairs(options or {}) do
    if option ~= name then
      errors.raise { class = "usage", code = "UnknownField", message = ("%s has no option '%s'%s"):format(
        whose, tostring(option), util.suggest(tostring(option), { name })) }
    end
  end
end

local function open_pages(self, operation, input)
  return require("tap.core.pages").new(rawget(self, "core"), operation, input)
end

--- The pages of an operation, each asked for when the loop gets there:
-- `for page in cfn:pages("list_stacks", {}) do`. Raises when the operation has none.
---@param operation string in any spelling
---@param input table? of the first page
---@return fun(): table?, table? next the page's output, { request_id, attempts }
function methods.pages(self, operation, input)
  local pages = open_pages(self, operation, input)
  return function() return pages:next() end
end

--- What a page has where its items stand, as a list.
local function items_of(page, path)
  local found = page
  for name in path:gmatch("[^.]+") do found = type(found) == "table" and found[name] or nil end
  if type(found) == "table" and (found[1] ~= nil or next(found) == nil) then return found end
  return { found }
end

--- The items of all pages, one after the other: the elements of the output's list (of several, the first).
-- `for event in cfn:each("describe_stack_events", { StackName = "web" }) do`
---@param operation string in any spelling
---@param input table? of the first page
---@return fun(): any next
function methods.each(self, operation, input)
  local pages = open_pages(self, operation, input)
  local items, index = {}, 0
  return function()
    while index >= #items do
      local page = pages:next()
      if not page then return nil end
      items, index = items_of(page, pages:result()), 0
    end
    index = index + 1
    return items[index]
  end
end

--- All pages as one output: lists joined, numbers added, tokens left out.
---@param operation string in any spelling
---@param input table? of the first page
---@return table output
function methods.collect(self, operation, input)
  local pages = open_pages(self, operation, input)
  while pages:join() do end -- luacheck: ignore 542
  return pages:whole()
end

--- The request that a call would send, signed; nothing is sent. Its headers may carry a session token: they
-- are not to be shown as they are.
---@param operation string in any spelling
---@param input table?
---@return { method: string, url: string, headers: table<string, string|string[]>, body: string }
function methods.prepare(self, operation, input)
  return rawget(self, "core"):prepare(operation, input or {})
end

--- A request that somebody else sends later, as an address: who has it may do this one thing until it
-- expires. It is a secret for that long, so logs and lines of progress have its signature masked; a workflow
-- gives it out as its words: `return nil, url`. Temporary credentials may end before it does, and the URL
-- with them.
--
-- S3's operations that have no body, or one that is sent by who has the URL (put_object, without Body); of
-- other services those of the query protocol (sts, iam, cloudformation, ec2). Nothing is sent.
---@param operation string in any spelling: "get_object"
---@param input table?
---@param options { expires: number|string }? how long it is valid, up to a week; else an hour
---@return string url
---@return { method: string, headers: table<string, string|string[]> } request what is sent to it
function methods.presign(self, operation, input, options)
  only_option(options, "expires", "presign")
  local seconds = util.duration(options and options.expires or DEFAULT_EXPIRES)
  return rawget(self, "core"):presign(operation, input or {}, math.floor(seconds))
end

--- Waits until it is so, by the waiters of the service's model. It asks often at first, then as the model
-- says; a state that cannot become the wanted one ends it at once.
--
-- Raises class "failed" for such a state and class "timeout" when the time is over; the error's `seen` has
-- what the waiter looked at last: { ["Stacks[].StackStatus"] = { "ROLLBACK_COMPLETE" } }. An error of the
-- call that the waiter does not expect is raised as it is.
---@param name string the waiter's, in any spelling: "stack_create_complete"
---@param input table? of the operation that the waiter asks
---@param options { timeout: number|string }? else as long as the model says
---@return table? output the last one; nil when an error was what it waited for
function methods.wait(self, name, input, options)
  only_option(options, "timeout", "a wait")
  local calls = rawget(self, "core")
  local limit = options and options.timeout and util.duration(options.timeout)
  local waiter = require("tap.core.waiter").new(calls, name, limit)
  while true do
    local output, problem = errors.try(calls.call, calls, waiter:operation(), input or {})
    local state, seconds = waiter:feed(output, problem)
    if state == "success" then return output end
    if state == "error" then error(problem, 0) end
    require("tap.task").sleep(seconds)
  end
end

local metatable = {
  __index = function(self, name) return methods[name] or method(self, name) end,
  __name = "tap.client",
}

--- Makes a client.
---@param service string botocore's name of it: "cloudformation", "autoscaling", "elbv2"
---@param options table? profile, region, endpoint_url, context (the service's own settings:
---  { ForcePathStyle = true }), credentials, retry_mode, max_attempts, connect_timeout, read_timeout,
---  total_timeout, call_timeout (seconds), max_response (bytes), random_seed; what is absent comes from the
---  run, the environment, the profile
---@return tap.Client
function client.new(service, options)
  local merged = {}
  for name, value in pairs(require("tap.run").client_options()) do merged[name] = value end
  for name, value in pairs(options or {}) do merged[name] = value end
  local made = core.new(service, merged)
  if made:region() == "" then
    errors.raise { class = "usage", code = "NoRegion", message = "no region is set",
      hints = { "give --region, or set AWS_REGION or the profile's region" } }
  end
  return setmetatable({ core = made }, metatable)
end

return client

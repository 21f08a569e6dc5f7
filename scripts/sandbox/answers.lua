--- Writes what operations return, in the protocol of the request. Who waits for a stack reads the same page of events
-- again and again: what an operation keeps is written once, and later answered under the id of the later request.

local protocol = require "tap.core.protocol"

local answers = {}

local kept = setmetatable({}, { __mode = "k" }) -- what an operation keeps -> the answer that it became

--- For what an operation will return again, and never changes.
---@param output table
---@return table output
function answers.keep(output)
  kept[output] = {}
  return output
end

-- The text with another id in place of the one that stands in it once; nil when it does not.
local function with_id(text, old, new)
  local first, last = text:find(old, 1, true)
  if not first or text:find(old, last + 1, true) then return nil end
  return text:sub(1, first - 1) .. new .. text:sub(last + 1)
end

local function form_of(exchange)
  return table.concat({ exchange:header("Content-Type") or "", exchange:header("X-Amz-Target") or "",
    exchange:header("Smithy-Protocol") or "" }, "\n")
end

local function again(answer, exchange, request_id)
  if not answer or answer.form ~= form_of(exchange) then return nil end -- also before it was written
  return with_id(answer.body, answer.request_id, request_id)
end

local function copy(headers)
  local out = {}
  for name, value in pairs(headers) do out[name] = value end
  return out
end

---@param service string as its model is named
---@param operation string
---@param output table
---@param request_id string
---@param exchange table
---@return integer status
---@return table<string, string> headers the caller's own
---@return string body
function answers.write(service, operation, output, request_id, exchange)
  local before = kept[output]
  local body = again(before, exchange, request_id)
  if body then return before.status, copy(before.headers), body end
  local status, headers
  status, headers, body = protocol.write(service, operation, output, request_id, exchange)
  if before then
    kept[output] = { status = status, headers = copy(headers), body = body, request_id = request_id,
      form = form_of(exchange) }
  end
  return status, headers, body
end

return answers

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

-- A text before and behind the id that stands in it once; nil when it does not.
local function split_at(text, id)
  local first, last = text:find(id, 1, true)
  if not first or text:find(id, last + 1, true) then return nil end
  return text:sub(1, first - 1), text:sub(last + 1)
end

local function form_of(exchange)
  return table.concat({ exchange:header("Content-Type") or "", exchange:header("X-Amz-Target") or "",
    exchange:header("Smithy-Protocol") or "" }, "\n")
end

local function again(answer, exchange, request_id)
  if not answer or answer.form ~= form_of(exchange) then return nil end -- also before it was written
  return answer.before .. request_id .. answer.behind
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
  local known = kept[output]
  local body = again(known, exchange, request_id)
  if body then return known.status, copy(known.headers), body end
  local status, headers
  status, headers, body = protocol.write(service, operation, output, request_id, exchange)
  local head, tail
  if known then head, tail = split_at(body, request_id) end
  if head then
    kept[output] = { status = status, headers = copy(headers), before = head, behind = tail, form = form_of(exchange) }
  end
  return status, headers, body
end

return answers

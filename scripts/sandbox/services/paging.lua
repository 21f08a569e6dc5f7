--- Pages of a list, with tokens that mean nothing to clients.

local crypto = require "tap.core.crypto"
local fault = require "sandbox.fault"

local paging = {}

local function position_of(token, kind)
  if not token then return nil end
  local ok, text = pcall(crypto.unbase64, token)
  local digits = ok and type(text) == "string" and text:match("^" .. kind .. ":([1-9]%d*)$")
  if not digits or #digits > 9 then fault.validation("The specified NextToken is invalid.") end
  return math.tointeger(digits)
end

local function token_of(position, kind)
  return crypto.base64(("%s:%d"):format(kind, position))
end

--- One page from the front of a list.
---@param list any[]
---@param token string? from the page before
---@param size integer
---@param kind string whose tokens these are; another operation's token is refused
---@return any[] page
---@return string? next_token
function paging.forward(list, token, size, kind)
  local first = position_of(token, kind) or 1
  local page = table.move(list, first, math.min(first + size - 1, #list), 1, {})
  return page, first + size <= #list and token_of(first + size, kind) or nil
end

--- One page from the end of a list, last element first. What is appended meanwhile does not move the pages.
function paging.newest_first(list, token, size, kind)
  local last = math.min(position_of(token, kind) or #list, #list)
  local page = {}
  for i = last, math.max(last - size + 1, 1), -1 do page[#page + 1] = list[i] end
  return page, last - size >= 1 and token_of(last - size, kind) or nil
end

return paging

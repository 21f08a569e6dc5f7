--- Bodies of objects as they arrive: plain, or in the chunks that SDKs sign or add a checksum to
-- (Content-Encoding aws-chunked).

local fault = require "sandbox.fault"

local body = {}

local function incomplete()
  fault.raise("IncompleteBody", "The request body terminated unexpectedly")
end

-- "size[;extensions]\r\ndata\r\n" ..., a chunk of size 0, trailers. Signatures of chunks are not verified.
local function unchunk(text)
  local out, at = {}, 1
  while true do
    local size, data_at = text:match("^(%x+)[^\r\n]*\r\n()", at)
    size = size and tonumber(size, 16) or incomplete()
    if size == 0 then return table.concat(out) end
    if data_at + size - 1 > #text then incomplete() end
    out[#out + 1] = text:sub(data_at, data_at + size - 1)
    at = text:match("^\r\n()", data_at + size) or incomplete()
  end
end

--- The object's bytes, and the encoding that stays with it.
---@param input table of PutObject or UploadPart
---@return string bytes
---@return string? content_encoding
function body.of(input)
  local bytes, encoding = input.Body or "", input.ContentEncoding
  local rest = encoding and encoding:match("^aws%-chunked,?%s*(.*)$")
  if not rest then return bytes, encoding end
  return unchunk(bytes), rest ~= "" and rest or nil
end

return body

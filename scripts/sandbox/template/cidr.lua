--- Fn::Cidr's arithmetic: consecutive blocks from the start of an address block, IPv4 and IPv6. Addresses are
-- arrays of bytes, most significant first, so that both families share everything but their text form.

local cidr = {}

local function parse_v4(text)
  local bytes = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for i = 1, #bytes do
    bytes[i] = tonumber(bytes[i])
    if bytes[i] > 255 then return nil end
  end
  return #bytes == 4 and bytes or nil
end

local function groups_of(text)
  local groups = {}
  for group in text:gmatch("[^:]+") do
    if not group:match("^%x%x?%x?%x?$") then return nil end
    groups[#groups + 1] = tonumber(group, 16)
  end
  return groups
end

local function parse_v6(text)
  local head, tail = text:match("^(.-)::(.*)$")
  local left, right = groups_of(head or text), groups_of(tail or "")
  if not left or not right then return nil end
  local missing = 8 - #left - #right
  if missing < 0 or (missing > 0) ~= (head ~= nil) then return nil end
  local bytes = {}
  local function add(group)
    bytes[#bytes + 1] = group >> 8
    bytes[#bytes + 1] = group & 0xff
  end
  for _, group in ipairs(left) do add(group) end
  for _ = 1, missing do add(0) end
  for _, group in ipairs(right) do add(group) end
  return bytes
end

local function format_v4(bytes)
  return table.concat(bytes, ".")
end

-- The longest run of zero groups is written as "::".
local function format_v6(bytes)
  local groups, best_at, best_length, run = {}, 0, 1, 0
  for i = 1, 8 do
    local group = bytes[2 * i - 1] << 8 | bytes[2 * i]
    groups[i] = ("%x"):format(group)
    run = group == 0 and run + 1 or 0
    if run > best_length then best_at, best_length = i - run + 1, run end
  end
  if best_at == 0 then return table.concat(groups, ":") end
  return table.concat(groups, ":", 1, best_at - 1) .. "::" .. table.concat(groups, ":", best_at + best_length)
end

-- Adds 2^bit in place; false when it overflows.
local function add_bit(bytes, bit)
  local at, carry = #bytes - bit // 8, 1 << bit % 8
  while carry > 0 do
    if at < 1 then return false end
    local sum = bytes[at] + carry
    bytes[at], carry, at = sum & 0xff, sum >> 8, at - 1
  end
  return true
end

local function clear_host_bits(bytes, host_bits)
  for i = #bytes, 1, -1 do
    local bits = math.max(0, math.min(8, host_bits - (#bytes - i) * 8))
    bytes[i] = bytes[i] & ~((1 << bits) - 1) & 0xff
  end
end

--- `count` blocks of 2^`host_bits` addresses, from the start of `block`.
---@param block string for example "10.0.0.0/16"
---@param count integer
---@param host_bits integer 8 makes /24 of IPv4
---@return string[]? blocks nil when `block` is none or has no room for that many
function cidr.blocks(block, count, host_bits)
  local address, prefix = block:match("^([%x.:]+)/(%d+)$")
  if not address then return nil end
  local bytes, format = parse_v4(address), format_v4
  if not bytes then bytes, format = parse_v6(address), format_v6 end
  local width = bytes and #bytes * 8
  prefix = tonumber(prefix)
  if not bytes or prefix > width or host_bits > width - prefix then return nil end
  local room = width - prefix - host_bits
  if room < 9 and count > 1 << room then return nil end
  clear_host_bits(bytes, width - prefix)
  local out = {}
  for i = 1, count do
    out[i] = ("%s/%d"):format(format(bytes), width - host_bits)
    if i < count and not add_bit(bytes, host_bits) then return nil end
  end
  return out
end

return cidr

--- Identifiers and chance, all from one seed: the same seed and the same requests give the same bytes.
--
-- Each thing that needs chance (a stack, a resource, the request ids) draws from a stream of its own, named
-- by what it is for. A request more or less therefore changes nothing in the ids of anything else.

local ids = {}

local Stream = {}
Stream.__index = Stream

local UPPER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
local LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"
local HEX = "0123456789abcdef"

--- What an id's characters may be, by the names that resource records use.
ids.alphabets = {
  upper = UPPER, lower = LOWER, hex = HEX, digits = "0123456789",
  mixed = LOWER .. "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}

-- splitmix64: 64 bits of state, and every seed is a good one.
local function mix(z)
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  return z ~ (z >> 31)
end

local GOLDEN = 0x9e3779b97f4a7c15

--- The stream of a name.
---@param seed integer
---@param name string
function ids.stream(seed, name)
  local state = mix(seed + GOLDEN)
  for i = 1, #name do state = mix(state ~ name:byte(i)) + GOLDEN end
  return setmetatable({ state = state }, Stream)
end

--- 64 random bits.
function Stream:bits()
  self.state = self.state + GOLDEN
  return mix(self.state)
end

--- An integer in 0 .. n-1.
function Stream:below(n)
  return (self:bits() >> 1) % n
end

--- A float in low .. high.
function Stream:between(low, high)
  return low + (high - low) * ((self:bits() >> 11) / 2.0 ^ 53)
end

--- `n` characters of an alphabet.
function Stream:text(n, alphabet)
  local out = {}
  for i = 1, n do
    local at = self:below(#alphabet) + 1
    out[i] = alphabet:sub(at, at)
  end
  return table.concat(out)
end

--- A random UUID, version 4.
function Stream:uuid()
  local a, b = self:bits(), self:bits()
  return ("%08x-%04x-4%03x-%04x-%012x"):format(
    a >> 32, (a >> 16) & 0xffff, a & 0xfff, 0x8000 | (b >> 48) & 0x3fff, b & 0xffffffffffff)
end

-- 100 ns steps from the start of the Gregorian calendar to 1970.
local GREGORIAN = 0x01b21dd213814000

--- A UUID of a time, version 1, as stack ids and stack events have them.
---@param seconds number since 1970
function Stream:time_uuid(seconds)
  local ticks = math.floor(seconds * 1000) * 10000 + GREGORIAN + self:below(10000)
  local node = self:bits()
  return ("%08x-%04x-1%03x-%04x-%012x"):format(
    ticks & 0xffffffff, (ticks >> 32) & 0xffff, (ticks >> 48) & 0xfff,
    0x8000 | (node >> 48) & 0x3fff, node & 0xffffffffffff)
end

return ids

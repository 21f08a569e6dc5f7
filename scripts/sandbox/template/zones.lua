--- The availability zones of a region, as an account that is new today sees them.

local zones = {}

local LETTERS = {
  ["us-east-1"] = "abcdef", ["us-west-1"] = "ac", ["us-west-2"] = "abcd", ["ap-northeast-1"] = "acd",
  ["ap-northeast-2"] = "abcd", ["ca-central-1"] = "abd", ["sa-east-1"] = "abc",
}

---@param region string
---@return string[] names a fresh array, sorted
function zones.of(region)
  local out = {}
  for letter in (LETTERS[region] or "abc"):gmatch(".") do out[#out + 1] = region .. letter end
  return out
end

return zones

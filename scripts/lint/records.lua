--- Route 53: what the values of a record of each type look like (E3023).

local json = require "tap.core.json"
local regex = require "tap.regex"
local state = require "lint.state"
local values = require "lint.values"

local records = {}

local join, is_map, show = state.join, state.is_map, state.show

local OCTET = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)"
local NAME = "[!-~]+"

local function count_groups(text)
  local n = 0
  for group in (text .. ":"):gmatch("([^:]*):") do
    if not group:find("^%x%x?%x?%x?$") then return nil end
    n = n + 1
  end
  return n
end

-- Eight groups, of which "::" stands for one or more; an IPv4 address in place of the last two.
local function is_ipv6(text)
  text = text:gsub(":%d+%.%d+%.%d+%.%d+$", ":0:0")
  local before, after = text:match("^(.-)::(.*)$")
  if not before then return count_groups(text) == 8 end
  local first, last = before == "" and 0 or count_groups(before), after == "" and 0 or count_groups(after)
  return first ~= nil and last ~= nil and first + last <= 7
end

-- Type -> { expression or test, what it is, how many there may be }.
local FORMS = {
  A = { ("(%s\\.){3}%s"):format(OCTET, OCTET), "an IPv4 address" },
  AAAA = { is_ipv6, "an IPv6 address" },
  CAA = { [[(0|128)\s([a-zA-Z0-9]+)\s(".+")]], "a CAA record, as 0 issue \"ca.example\"" },
  CNAME = { NAME, "a domain's name", 1 },
  MX = { "(\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])\\s" .. NAME,
    "a mail server's priority and name, as 10 mail.example" },
  NS = { NAME, "a domain's name" },
  PTR = { NAME, "a domain's name" },
  SOA = { "[\\s\\S]*", "an SOA record", 1 },
  TXT = { [[("[^"]{1,255}" *)*"[^"]{1,255}"]], "a list of texts in quotes, of at most 255 characters" },
}

for _, form in pairs(FORMS) do
  if type(form[1]) == "string" then
    local matcher = assert(regex.compile(form[1]))
    form[1] = function(text) return matcher:match_whole(text) ~= false end
  end
end

local function check_record(L, record, path)
  local form = is_map(record) and FORMS[record.Type]
  local list = form and json.is_list(record.ResourceRecords) and record.ResourceRecords or {}
  for index, value in ipairs(list) do
    local plain = type(value) == "string" and not value:find("{{resolve:", 1, true)
    if plain and not form[1](value) then
      L:find("E3023", join(path, "ResourceRecords", index), "%s is not %s", show(value), form[2])
    end
  end
  if form and form[3] and #list > form[3] then
    L:find("E3023", join(path, "ResourceRecords"), "a %s record has one value, not %d", record.Type, #list)
  end
end

local BY_TYPE = state.by_type { { "AWS::Route53::RecordSet", "" }, { "AWS::Route53::RecordSetGroup", "RecordSets/*" } }

--- Every record.
---@param L table
function records.check(L)
  L:each_row(BY_TYPE, function(row, properties, path)
    values.at(properties, row[2], path, function(record, at) check_record(L, record, at) end)
  end)
end

return records

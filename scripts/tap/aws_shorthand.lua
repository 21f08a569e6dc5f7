--- The short form of structures and maps that the AWS CLI has, as far as it is flat:
-- Key=team,Value=web   Name=instance-state-name,Values=running,stopped
--
-- A value ends where a comma and the name of another member follow, so that commas in it need no quotes. What
-- nests deeper is JSON.

local shorthand = {}

local NAME = "([%w_.:/-]+)="

--- The next place where a member begins: where its comma stands, its name, where its value begins.
local function next_member(text, from, is_name)
  for comma, name, start in text:gmatch("()," .. NAME .. "()", from) do
    if is_name(name) then return comma, name, start end
  end
  return #text + 1
end

--- Splits a text into its members.
---@param text string
---@param is_name fun(name: string): boolean whether there may be a member of that name
---@return { name: string, value: string }[]? members nil when the text has another form
function shorthand.split(text, is_name)
  local members = {}
  local name, start = text:match("^" .. NAME .. "()")
  if not name or not is_name(name) then return nil end
  while name do
    local stop, following, after = next_member(text, start, is_name)
    members[#members + 1] = { name = name, value = text:sub(start, stop - 1) }
    name, start = following, after
  end
  return members
end

return shorthand

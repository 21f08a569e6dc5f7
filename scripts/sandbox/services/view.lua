--- Services that are only a look at things: most of describing and listing, as tables. A view says
--
--   type      the resource type whose things it shows         global    true: they are the account's
--   list      the member of the output that has them (nil: the operation gives one thing)
--   item      the member that has the one thing (nil: the output is the thing)
--   show      (thing, context) -> the structure; texts of templates become what the model says (typed)
--   ids       the member of the input that names things, a list or a name
--   key       the member of the structure by which they are named
--   missing   { code, text, status }: what is answered for a name that is not there
--   where     (thing, input) -> boolean, when the input selects otherwise
--   filters   true: the input has Filters as EC2 has them
--
-- A team's own things and a stack's are shown alike.

local json = require "tap.core.json"
local fault = require "sandbox.fault"
local things = require "sandbox.things"
local paging = require "sandbox.services.paging"
local typed = require "sandbox.services.typed"

local view = {}

local PAGE = 100

-- "vpc-id" -> "VpcId"
local function member_of(filter)
  return (("-" .. filter):gsub("%-(%l)", string.upper))
end

local function tag_of(shown, key)
  for _, tag in ipairs(shown.Tags or {}) do
    if tag.Key == key then return tag.Value end
  end
end

local function contains(list, value)
  for _, each in ipairs(list or {}) do
    if each == value then return true end
  end
  return false
end

--- Do EC2's filters let a structure through?
---@param shown table
---@param filters { Name: string, Values: string[] }[]?
function view.passes(shown, filters)
  for _, filter in ipairs(filters or {}) do
    local key = filter.Name:match("^tag:(.+)$")
    local value
    if key then value = tag_of(shown, key) else value = shown[member_of(filter.Name)] end
    if type(value) == "table" then value = value.Name end
    if not contains(filter.Values, value ~= nil and tostring(value) or nil) then return false end
  end
  return true
end

local function named(input, spec)
  local value = spec.ids and input[spec.ids]
  if value == nil then return nil end
  return type(value) == "table" and #value > 0 and value or type(value) == "string" and { value } or nil
end

local function refuse(spec, name)
  local missing = spec.missing or { "ResourceNotFoundException", "%s was not found", 404 }
  fault.raise(missing[1], missing[2]:format(name), missing[3])
end

-- The structures that a request selects.
local function select(spec, context, input)
  local wanted, seen, out = named(input, spec), {}, {}
  for _, thing in ipairs(things.all(context.region:home(spec.global), spec.type)) do
    local shown = spec.show(thing, context)
    local name = shown[spec.key]
    local ok = (not wanted or contains(wanted, name) or contains(wanted, thing.id) or contains(wanted,
      thing.key))
      and (not spec.where or spec.where(thing, input)) and (not spec.filters or view.passes(shown,
        input.Filters))
    if ok then
      out[#out + 1] = shown
      seen[name or ""], seen[thing.id], seen[thing.key] = true, true, true
    end
  end
  for _, name in ipairs(wanted or {}) do
    if not seen[name] and not (spec.filters and input.Filters) then refuse(spec, name) end
  end
  return out
end

local function token_of(input)
  return input.NextToken or input.Marker or input.nextToken
end

-- One page, under the name that the operation's tokens have.
local function listed(spec, operation, context, input)
  local all = select(spec, context, input)
  local size = input.MaxResults or input.MaxRecords or input.MaxItems or input.limit or input.PageSize or PAGE
  local page, next_token = paging.forward(all, token_of(input), size, operation)
  local out = { [spec.list] = json.list(page) }
  for _, member in ipairs { "NextToken", "nextToken", "Marker", "NextMarker" } do out[member] = next_token end
  out.IsTruncated = next_token ~= nil
  return out
end

local function one(spec, context, input)
  local found = select(spec, context, input)[1] or refuse(spec, tostring(input[spec.ids]))
  return spec.item and { [spec.item] = found } or found
end

--- The operations of a table of views.
---@param service string whose model their outputs follow
---@param specs table<string, table> operation -> view
---@return table<string, function>
function view.operations(service, specs)
  local out = {}
  for operation, spec in pairs(specs) do
    out[operation] = function(context, input)
      local answer = spec.list and listed(spec, operation, context, input) or one(spec, context, input)
      return typed.output(service, operation, answer)
    end
  end
  return out
end

return view

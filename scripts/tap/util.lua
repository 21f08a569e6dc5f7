--- Small things that several modules need: durations, plurals, ordered keys, quoting for a shell.

local util = {}

local UNITS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }

--- "90", "15m", "1h30m", "500ms" to seconds; a number is seconds already.
---@param value string|number
---@return number? seconds nil when it is no duration (empty, negative, unknown unit)
function util.seconds(value)
  if type(value) == "number" then return value >= 0 and value or nil end
  if type(value) ~= "string" then return nil end
  if value:match("^%d+%.?%d*$") then return tonumber(value) end
  local total, rest = 0, value
  while rest ~= "" do
    local number, unit, after = rest:match("^(%d+%.?%d*)(%l+)(.*)$")
    if not number or not UNITS[unit] then return nil end
    total, rest = total + tonumber(number) * UNITS[unit], after
  end
  return value ~= "" and total or nil
end

--- The same for scripts: what is no duration raises.
---@param value string|number
---@return number seconds
function util.duration(value)
  local seconds = util.seconds(value)
  if not seconds then
    require("tap.error").raise { class = "usage", code = "BadDuration",
      message = ("'%s' is not a duration; write 30s, 15m, 1h30m"):format(tostring(value)) }
  end
  return seconds
end

--- Seconds to whole milliseconds, for results.
---@param seconds number
---@return number
function util.round(seconds)
  return math.floor(seconds * 1000 + 0.5) / 1000
end

--- 431 -> "7m11s", 0.25 -> "250ms", 7 -> "7s".
---@param seconds number
---@return string
function util.show_duration(seconds)
  if seconds < 1 then return ("%.0fms"):format(seconds * 1000) end
  local whole = math.floor(seconds + 0.5)
  local hours, minutes = whole // 3600, whole // 60 % 60
  if hours > 0 then return ("%dh%02dm"):format(hours, minutes) end
  if minutes > 0 then return ("%dm%02ds"):format(minutes, whole % 60) end
  return ("%ds"):format(whole)
end

--- "1 resource", "3 resources".
---@param n integer
---@param noun string
---@return string
function util.count(n, noun)
  return ("%d %s%s"):format(n, noun, n == 1 and "" or "s")
end

---@param t table
---@return string[]
function util.sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- A word as a POSIX shell reads it back.
---@param text string
---@return string
function util.shell_quote(text)
  if text:match("^[%w_@%%+=:,./-]+$") then return text end
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

--- ", did you mean 'x'?" when one of the names is near enough, else "".
---@param wanted string
---@param names string[]
---@param before string? put in front of the name, inside the quotes
---@return string
function util.suggest(wanted, names, before)
  local nearest = require("tap.core.text").nearest(wanted, names)
  return nearest and (", did you mean '%s%s'?"):format(before or "", nearest) or ""
end

--- A table whose undeclared fields are errors that name the nearest right one.
---@param fields table
---@param kind string what a field is called in the message: "parameter"
---@param names string[] every name that may be asked for, also those whose value is nil
---@return table fields
function util.strict(fields, kind, names)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  return setmetatable(fields, { __index = function(_, name)
    if known[name] then return nil end
    require("tap.error").raise { class = "usage", code = "UnknownField",
      message = ("there is no %s '%s'%s"):format(kind, tostring(name), util.suggest(tostring(name), names)) }
  end })
end

--- Rows of cells as lines whose columns stand under each other; the last column is as wide as it is.
---@param rows string[][]
---@param indent string?
---@return string[] lines
function util.columns(rows, indent)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for index, cell in ipairs(row) do
      widths[index] = math.max(widths[index] or 0, utf8.len(cell) or #cell)
    end
  end
  for number, row in ipairs(rows) do
    local cells = {}
    for index, cell in ipairs(row) do
      cells[index] = cell .. (" "):rep(widths[index] - (utf8.len(cell) or #cell))
    end
    lines[number] = ((indent or "") .. table.concat(cells, "  ")):gsub("%s+$", "")
  end
  return lines
end

return util

--- Java regular expressions, as far as AllowedPattern uses them.
--
-- CloudFormation matches a parameter's AllowedPattern with java.util.regex against the whole value. Lua's
-- patterns have no alternation and no counted repeats, so a bad value could only be refused by the service,
-- after the upload. This is a small backtracking matcher: a pattern compiles to a tree, the tree to closures
-- that take a position and a continuation ("does the rest match from there?").
--
-- Supported: literals, escapes, classes with ranges and negation, . ^ $ \b \B \A \z, groups (also (?:), with
-- names), lookahead, alternation, greedy and lazy quantifiers, (?i) in front, \p{Alpha} and its ASCII kin.
-- Everything else (backreferences, lookbehind, possessive quantifiers, class intersections, Unicode
-- properties) compiles to `nil, why`: then the check is left to the service. So does a match that takes more
-- than MAX_STEPS steps; no pattern can hang the program.

local regex = {}

local MAX_STEPS = 200000
local MAX_REPEAT = 1000 -- {n,m} beyond this is left to the service
local INFINITE = math.huge

local byte = string.byte

---------------------------------------------------------------------------------------------------------
-- Sets of characters: a predicate over code points.

local function range(low, high)
  return function(c) return c >= low and c <= high end
end

local function any_of(tests)
  return function(c)
    for i = 1, #tests do
      if tests[i](c) then return true end
    end
    return false
  end
end

local function none_of(test)
  return function(c) return not test(c) end
end

local function exactly(code)
  return function(c) return c == code end
end

local lower, upper, digit = range(97, 122), range(65, 90), range(48, 57)
local alpha = any_of { lower, upper }
local alnum = any_of { alpha, digit }
local word = any_of { alnum, exactly(95) }
local space = any_of { exactly(32), range(9, 13) }
local punct = any_of { range(33, 47), range(58, 64), range(91, 96), range(123, 126) }

local ESCAPE_SETS = {
  d = digit, D = none_of(digit), w = word, W = none_of(word), s = space, S = none_of(space),
}

local PROPERTIES = {
  Lower = lower, Upper = upper, Alpha = alpha, Digit = digit, Alnum = alnum, Punct = punct, Space = space,
  ASCII = range(0, 127), Graph = any_of { alnum, punct }, Print = any_of { alnum, punct, exactly(32) },
  Blank = any_of { exactly(32), exactly(9) }, Cntrl = any_of { range(0, 31), exactly(127) },
  XDigit = any_of { digit, range(97, 102), range(65, 70) },
}

local ESCAPE_CHARACTERS = { t = 9, n = 10, r = 13, f = 12, a = 7, e = 27 }

local function line_end(c)
  return c == 10 or c == 13 or c == 0x85 or c == 0x2028 or c == 0x2029
end

local function fold(c) -- ASCII only, as Java does without (?u)
  return upper(c) and c + 32 or c
end

---------------------------------------------------------------------------------------------------------
-- Parsing: the pattern's text to a tree. `p` is { codes, at, fold }. Unsupported things are raised as a
-- one-field table and turned into `nil, why` by compile.

local parse_alternatives

local function unsupported(why)
  error({ unsupported = why }, 0)
end

local function peek(p, char)
  return p.codes[p.at] == byte(char)
end

local function accept(p, char)
  if peek(p, char) then
    p.at = p.at + 1
    return true
  end
  return false
end

local function take(p)
  local code = p.codes[p.at]
  if not code then unsupported("the pattern ends too early") end
  p.at = p.at + 1
  return code
end

local function take_hex(p, digits)
  local text = {}
  for i = 1, digits do text[i] = utf8.char(take(p)) end
  local value = tonumber(table.concat(text), 16)
  if not value then unsupported("a broken \\x or \\u escape") end
  return value
end

local function take_property(p, negated)
  if not accept(p, "{") then unsupported("\\p without braces") end
  local name = {}
  while not accept(p, "}") do name[#name + 1] = utf8.char(take(p)) end
  local set = PROPERTIES[table.concat(name)]
  if not set then unsupported("\\p{" .. table.concat(name) .. "}") end
  return negated and none_of(set) or set
end

--- After a backslash: a set (function) or one code point (number), or nil for what only stands outside
-- of classes (\b and the like), which is then returned as the second value.
local function take_escape(p)
  local code = take(p)
  local char = code < 128 and string.char(code) or ""
  if ESCAPE_SETS[char] then return ESCAPE_SETS[char] end
  if char == "p" or char == "P" then return take_property(p, char == "P") end
  if char == "x" then return take_hex(p, 2) end
  if char == "u" then return take_hex(p, 4) end
  if ESCAPE_CHARACTERS[char] then return ESCAPE_CHARACTERS[char] end
  if char:match("^%w$") then return nil, char end
  return code
end

local function parse_class_item(p)
  local code = take(p)
  if code == byte("[") then unsupported("a class in a class") end
  if code == byte("&") and peek(p, "&") then unsupported("a class intersection (&&)") end
  if code ~= byte("\\") then return code end
  local item, other = take_escape(p)
  if not item then unsupported("\\" .. other .. " in a class") end
  return item
end

local function parse_class(p)
  local negated = accept(p, "^")
  local tests = {}
  repeat
    local item = parse_class_item(p)
    local next_code = p.codes[p.at + 1]
    if type(item) == "number" and peek(p, "-") and next_code and next_code ~= byte("]") then
      p.at = p.at + 1
      local last = parse_class_item(p)
      if type(last) ~= "number" or last < item then unsupported("a broken range") end
      item = range(item, last)
    end
    tests[#tests + 1] = type(item) == "number" and exactly(item) or item
  until accept(p, "]")
  local set = any_of(tests)
  if p.fold then
    local plain = set
    set = function(c)
      return plain(c) or plain(fold(c)) or (lower(c) and plain(c - 32))
    end
  end
  return { kind = "set", test = negated and none_of(set) or set }
end

local function parse_group(p)
  local node = { kind = "group" }
  if accept(p, "?") then
    if accept(p, ":") then
      node.kind = "group"
    elseif accept(p, "=") then
      node.kind = "ahead"
    elseif accept(p, "!") then
      node.kind = "not_ahead"
    elseif accept(p, "<") then
      if peek(p, "=") or peek(p, "!") then unsupported("lookbehind") end
      while not accept(p, ">") do take(p) end
    else
      unsupported("an inline flag or an atomic group")
    end
  end
  node.body = parse_alternatives(p)
  if not accept(p, ")") then unsupported("a group that is not closed") end
  return node
end

local function literal(p, code)
  if p.fold then
    local folded = fold(code)
    return { kind = "set", test = function(c) return fold(c) == folded end }
  end
  return { kind = "set", test = exactly(code) }
end

local ANCHOR_ESCAPES = { b = "boundary", B = "not_boundary", A = "start", z = "finish", Z = "finish_line" }

local function parse_atom(p)
  local code = take(p)
  if code == byte(".") then return { kind = "set", test = none_of(line_end) } end
  if code == byte("^") then return { kind = "start" } end
  if code == byte("$") then return { kind = "finish_line" } end
  if code == byte("[") then return parse_class(p) end
  if code == byte("(") then return parse_group(p) end
  if code == byte("*") or code == byte("+") or code == byte("?") then unsupported("a dangling quantifier") end
  if code ~= byte("\\") then return literal(p, code) end
  local item, other = take_escape(p)
  if type(item) == "function" then return { kind = "set", test = item } end
  if item then return literal(p, item) end
  if ANCHOR_ESCAPES[other] then return { kind = ANCHOR_ESCAPES[other] } end
  return unsupported("\\" .. other)
end

local function take_number(p)
  local digits = ""
  while p.codes[p.at] and digit(p.codes[p.at]) do digits = digits .. string.char(take(p)) end
  return tonumber(digits)
end

local function parse_bounds(p)
  if accept(p, "*") then return 0, INFINITE end
  if accept(p, "+") then return 1, INFINITE end
  if accept(p, "?") then return 0, 1 end
  if not accept(p, "{") then return nil end
  local low = take_number(p)
  local high = low
  if accept(p, ",") then high = take_number(p) or INFINITE end
  if not low or not accept(p, "}") then unsupported("a broken {n,m}") end
  if low > MAX_REPEAT or (high ~= INFINITE and high > MAX_REPEAT) or high < low then
    unsupported("a very large or impossible {n,m}")
  end
  return low, high
end

local function parse_sequence(p)
  local items = {}
  while p.codes[p.at] and not peek(p, "|") and not peek(p, ")") do
    local atom = parse_atom(p)
    local low, high = parse_bounds(p)
    if low then
      atom = { kind = "repeat", body = atom, low = low, high = high, lazy = accept(p, "?") }
      if peek(p, "+") then unsupported("a possessive quantifier") end
      if peek(p, "*") or peek(p, "{") then unsupported("a quantifier on a quantifier") end
    end
    items[#items + 1] = atom
  end
  return { kind = "sequence", items = items }
end

function parse_alternatives(p)
  local branches = { parse_sequence(p) }
  while accept(p, "|") do branches[#branches + 1] = parse_sequence(p) end
  return #branches == 1 and branches[1] or { kind = "choice", branches = branches }
end

---------------------------------------------------------------------------------------------------------
-- Matching: a tree to closures. m(state, i, k): the node matches `state.subject` from i, and k(j) holds for
-- the position j after it.

local build

local function step(state, count)
  state.steps = state.steps + (count or 1)
  if state.steps > state.most then unsupported("the match takes too many steps") end
end

local function is_word_boundary(state, i)
  local before, after = state.subject[i - 1], state.subject[i]
  return (before and word(before) or false) ~= (after and word(after) or false)
end

local ANCHORS = {
  start = function(_, i) return i == 1 end,
  finish = function(state, i) return i == state.length + 1 end,
  finish_line = function(state, i)
    return i == state.length + 1 or (i == state.length and line_end(state.subject[i]))
  end,
  boundary = is_word_boundary,
  not_boundary = function(state, i) return not is_word_boundary(state, i) end,
}

--- A set as a table, which asks the predicate once for each character of Latin-1.
local function set_of(node)
  return setmetatable({}, { __index = function(set, c)
    local has = node.test(c) or false
    if c < 256 then set[c] = has end
    return has
  end })
end

--- Repeats of one character need no recursion: count, then try the rest.
local function build_set_repeat(node)
  local set, low, high, lazy = set_of(node.body), node.low, node.high, node.lazy
  return function(state, i, k)
    local subject, most = state.subject, 0
    while most < high and subject[i + most] and set[subject[i + most]] do most = most + 1 end
    step(state, most)
    local first, last, by = most, low, -1
    if lazy then first, last, by = low, most, 1 end
    for n = first, last, by do
      step(state)
      if n >= low and n <= most and k(i + n) then return true end
    end
    return false
  end
end

local function build_repeat(node)
  if node.body.kind == "set" then return build_set_repeat(node) end
  local body, low, high, lazy = build(node.body), node.low, node.high, node.lazy
  local function attempt(state, i, k, count)
    step(state)
    local function more()
      return count < high and body(state, i, function(j)
        if j == i and count >= low then return false end -- an empty round gains nothing
        return attempt(state, j, k, count + 1)
      end)
    end
    if count < low then return more() end
    if lazy then return k(i) or more() end
    return more() or k(i)
  end
  return function(state, i, k) return attempt(state, i, k, 0) end
end

-- Single characters are matched in a loop; only what may match in more than one way needs a continuation.
local function build_sequence(node)
  local sets, parts = {}, {}
  for index, item in ipairs(node.items) do
    if item.kind == "set" then sets[index] = set_of(item) else parts[index] = build(item) end
  end
  local function from(state, index, i, k)
    local subject, set = state.subject, sets[index]
    while set do
      local c = subject[i]
      if not c or not set[c] then return false end
      index, i = index + 1, i + 1
      set = sets[index]
    end
    step(state)
    local part = parts[index]
    if not part then return k(i) end
    return part(state, i, function(j) return from(state, index + 1, j, k) end)
  end
  return function(state, i, k) return from(state, 1, i, k) end
end

local BUILDERS = {
  sequence = build_sequence,
  ["repeat"] = build_repeat,
  group = function(node) return build(node.body) end,
  choice = function(node)
    local branches = {}
    for index, branch in ipairs(node.branches) do branches[index] = build(branch) end
    return function(state, i, k)
      for index = 1, #branches do
        if branches[index](state, i, k) then return true end
      end
      return false
    end
  end,
  ahead = function(node)
    local body = build(node.body)
    return function(state, i, k)
      return body(state, i, function() return true end) and k(i)
    end
  end,
  not_ahead = function(node)
    local body = build(node.body)
    return function(state, i, k)
      return not body(state, i, function() return true end) and k(i)
    end
  end,
}

function build(node)
  local anchor = ANCHORS[node.kind]
  if anchor then
    return function(state, i, k) return anchor(state, i) and k(i) end
  end
  return BUILDERS[node.kind](node)
end

---------------------------------------------------------------------------------------------------------

local MOST_AT_ONCE = 200 -- values that fit Lua's stack with room to spare

local function codes_of(text)
  if #text <= MOST_AT_ONCE and not text:find("[\x80-\xff]") then return { byte(text, 1, -1) } end
  if not utf8.len(text) then unsupported("text that is not UTF-8") end
  local codes = {}
  for _, code in utf8.codes(text) do codes[#codes + 1] = code end
  return codes
end

--- Runs fn; what it reports as unsupported becomes `nil, why`.
local function guarded(fn)
  local ok, result = pcall(fn)
  if ok then return result end
  if type(result) == "table" and result.unsupported then return nil, result.unsupported end
  error(result, 0)
end

---@class tap.regex a compiled pattern
local compiled = {}
compiled.__index = compiled

--- True or false: does the whole subject match? nil and why: the match took too long.
---@param subject string
---@param budget { left: integer }? steps that several matches have together; a character of a subject is one, too
---@return boolean? matches
---@return string? why
function compiled:match_whole(subject, budget)
  local most = budget and budget.left - #subject or MAX_STEPS
  if most <= 0 then return nil, "the matches take too many steps together" end
  local state = { steps = 0, most = math.min(most, MAX_STEPS) }
  local matches, why = guarded(function()
    state.subject = codes_of(subject)
    state.length = #state.subject
    return self.matcher(state, 1, function(i) return i == state.length + 1 end)
  end)
  if budget then budget.left = budget.left - #subject - state.steps end
  return matches, why
end

--- Compiles a pattern.
---@param pattern string
---@return tap.regex?
---@return string? why the pattern is not supported
function regex.compile(pattern)
  local matcher, why = guarded(function()
    local p = { codes = codes_of(pattern), at = 1, fold = false }
    if pattern:sub(1, 4) == "(?i)" then p.fold, p.at = true, 5 end
    local tree = parse_alternatives(p)
    if p.codes[p.at] then unsupported("a ')' without its '('") end
    return build(tree)
  end)
  if not matcher then return nil, why end
  return setmetatable({ matcher = matcher }, compiled)
end

--- True or false: does the whole subject match? nil and why: this module cannot tell.
---@param pattern string
---@param subject string
---@return boolean? matches
---@return string? why
function regex.matches(pattern, subject)
  local matcher, why = regex.compile(pattern)
  if not matcher then return nil, why end
  return matcher:match_whole(subject)
end

return regex

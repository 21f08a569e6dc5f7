--- DynamoDB's expressions, parsed: conditions, updates, projections. A parser gives a tree:
--
--   condition  { op = "and"|"or"|"not"|"="|"<>"|"<"|"<="|">"|">="|"between"|"in"|FUNCTION, operands... }
--   operand    { path = {...} } | { value = attribute } | { op = "size", operand }
--   path       a list of names and of indices (integers from 0)

local fault = require "sandbox.fault"

local parser = {}

local Parser = {}
Parser.__index = Parser

local MAX_DEPTH = 64
local SYNTAX = 'Invalid %s: Syntax error; token: "%s", near: "%s"'

local TOKENS = {
  { "^[%a_][%w_]*", "name" }, { "^#[%w_]+", "alias" }, { "^:[%w_]+", "value" }, { "^%d+", "index" },
  { "^<>", "op" }, { "^<=", "op" }, { "^>=", "op" }, { "^[=<>(),.%[%]+-]", "op" },
}

local function lex(text, what)
  local tokens, at = {}, 1
  while true do
    at = text:match("^%s*()", at)
    if at > #text then return tokens end
    local found
    for _, token in ipairs(TOKENS) do
      local piece = text:match(token[1], at)
      if piece then
        found = { kind = token[2], text = piece, at = at }
        break
      end
    end
    if not found then
      fault.raise("ValidationException", SYNTAX:format(what, text:sub(at, at),
        text:sub(math.max(1, at - 5), at + 5)))
    end
    tokens[#tokens + 1] = found
    at = at + #found.text
  end
end

function Parser:fail(token)
  local text = token and token.text or "<EOF>"
  local near = token and self.text:sub(math.max(1, token.at - 5), token.at + #text + 5) or self.text:sub(-10)
  fault.raise("ValidationException", SYNTAX:format(self.what, text, near))
end

function Parser:peek() return self.tokens[self.at] end

function Parser:take()
  local token = self.tokens[self.at]
  self.at = self.at + 1
  return token
end

local function is_word(token, word)
  return token and token.kind == "name" and token.text:upper() == word
end

function Parser:accept(text)
  local token = self:peek()
  if token and (token.kind == "op" and token.text == text or is_word(token, text)) then return self:take() end
end

function Parser:expect(text)
  return self:accept(text) or self:fail(self:peek())
end

local function name_of(self, token)
  if token.kind == "name" then return token.text end
  local name = self.names[token.text]
  if not name then
    fault.raise("ValidationException", ("Invalid %s: An expression attribute name used in the document path "
      .. "is "
      .. "not defined; attribute name: %s"):format(self.what, token.text))
  end
  return name
end

function Parser:path()
  local token = self:take()
  if not token or token.kind ~= "name" and token.kind ~= "alias" then self:fail(token) end
  local path = { name_of(self, token) }
  while true do
    if self:accept(".") then
      token = self:take()
      if not token or token.kind ~= "name" and token.kind ~= "alias" then self:fail(token) end
      path[#path + 1] = name_of(self, token)
    elseif self:accept("[") then
      token = self:take()
      if not token or token.kind ~= "index" then self:fail(token) end
      path[#path + 1] = math.tointeger(tonumber(token.text))
      self:expect("]")
    else
      return path
    end
  end
end

function Parser:value(token)
  local given = self.values[token.text]
  if not given then
    fault.raise("ValidationException", ("Invalid %s: An expression attribute value used in expression is not "
      .. "defined; attribute value: %s"):format(self.what, token.text))
  end
  return { value = given }
end

-- The arguments of a function after its name.
function Parser:arguments()
  self:expect("(")
  local out = {}
  repeat out[#out + 1] = self:operand() until not self:accept(",")
  self:expect(")")
  return out
end

function Parser:calls()
  local token, after = self:peek(), self.tokens[self.at + 1]
  return token and token.kind == "name" and after and after.text == "("
end

local OPERAND_FUNCTIONS = { size = 1, if_not_exists = 2, list_append = 2 }

function Parser:operand()
  local token = self:peek()
  if token and token.kind == "value" then return self:value(self:take()) end
  if self:calls() then
    local wanted = OPERAND_FUNCTIONS[token.text] or self:fail(token)
    self:take()
    local arguments = self:arguments()
    if #arguments ~= wanted then self:fail(token) end
    return { op = token.text, table.unpack(arguments) }
  end
  return { path = self:path() }
end

local CONDITIONS = {
  attribute_exists = 1, attribute_not_exists = 1, attribute_type = 2, begins_with = 2, contains = 2,
}
local COMPARISONS = { ["="] = true, ["<>"] = true, ["<"] = true, ["<="] = true, [">"] = true, [">="] = true }

function Parser:comparison()
  local token = self:peek()
  if self:calls() and CONDITIONS[token.text] then
    self:take()
    local arguments = self:arguments()
    if #arguments ~= CONDITIONS[token.text] then self:fail(token) end
    return { op = token.text, table.unpack(arguments) }
  end
  local left = self:operand()
  token = self:take()
  if is_word(token, "BETWEEN") then
    local low = self:operand()
    self:expect("AND")
    return { op = "between", left, low, self:operand() }
  elseif is_word(token, "IN") then
    return { op = "in", left, table.unpack(self:arguments()) }
  elseif not token or not COMPARISONS[token.text] then
    self:fail(token)
  end
  return { op = token.text, left, self:operand() }
end

function Parser:term()
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then
    fault.raise("ValidationException", ("Invalid %s: The expression is nested too deeply"):format(self.what))
  end
  local out
  if self:accept("NOT") then
    out = { op = "not", self:term() }
  elseif self:accept("(") then
    out = self:disjunction()
    self:expect(")")
  else
    out = self:comparison()
  end
  self.depth = self.depth - 1
  return out
end

function Parser:conjunction()
  local out = self:term()
  while self:accept("AND") do out = { op = "and", out, self:term() } end
  return out
end

function Parser:disjunction()
  local out = self:conjunction()
  while self:accept("OR") do out = { op = "or", out, self:conjunction() } end
  return out
end

local function new(text, what, names, values)
  if text == "" then
    fault.raise("ValidationException", ("Invalid %s: The expression can not be empty;"):format(what))
  end
  return setmetatable({ text = text, what = what, names = names or {}, values = values or {}, at = 1, depth =
    0,
    tokens = lex(text, what) }, Parser)
end

function Parser:finish(result)
  if self:peek() then self:fail(self:peek()) end
  return result
end

--- A condition. Raises ValidationException.
---@param what string "ConditionExpression", ...: messages name it
---@param names table<string, string>? ExpressionAttributeNames
---@param values table<string, table>? ExpressionAttributeValues
function parser.condition(text, what, names, values)
  local self = new(text, what, names, values)
  return self:finish(self:disjunction())
end

--- The paths of a projection.
function parser.projection(text, names)
  local self, out = new(text, "ProjectionExpression", names), {}
  repeat out[#out + 1] = self:path() until not self:accept(",")
  return self:finish(out)
end

-- "a", "a + b", "a - b"
function Parser:sum()
  local left = self:operand()
  for _, op in ipairs { "+", "-" } do
    if self:accept(op) then return { op = op, left, self:operand() } end
  end
  return left
end

local ACTIONS = {
  SET = function(self)
    local path = self:path()
    self:expect("=")
    return { path = path, value = self:sum() }
  end,
  REMOVE = function(self) return { path = self:path() } end,
  ADD = function(self) return { path = self:path(), value = self:operand() } end,
  DELETE = function(self) return { path = self:path(), value = self:operand() } end,
}

--- The actions of an update: a list of { kind = "SET"|"REMOVE"|"ADD"|"DELETE", path, value }.
function parser.update(text, names, values)
  local self, out = new(text, "UpdateExpression", names, values), {}
  while self:peek() do
    local token = self:take()
    local kind = token.text:upper()
    local action = token.kind == "name" and ACTIONS[kind] or self:fail(token)
    repeat
      local each = action(self)
      each.kind = kind
      out[#out + 1] = each
    until not self:accept(",")
  end
  return out
end

return parser

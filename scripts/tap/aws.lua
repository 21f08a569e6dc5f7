--- aws SERVICE OPERATION: one call of any operation of any service, from its model.
--
-- The words behind the operation are options of the command or members of the operation's input. Where both
-- have a name, it means what AWS users expect: --query and --region are the command's, --timeout the member
-- (in front of `aws` it is the command's). The call runs as a workflow does, so that --sandbox, deadlines,
-- signals and exit codes are the same.

local cli = require "tap.cli"
local errors = require "tap.error"
local help = require "tap.aws_help"
local input = require "tap.aws_input"
local json = require "tap.core.json"
local model = require "tap.core.model"
local params = require "tap.params"
local shape = require "tap.aws_shape"
local sys = require "tap.core.sys"

local aws = {}

local OWN = {
  { "input", "string", env = false, help = "the input as JSON, or @FILE; members given as options win" },
  { "query", "string", env = false, help = "JMESPath: what of the output to show" },
  { "output", "enum", values = { "json", "text" }, default = "json", env = false,
    help = "JSON, or tab-separated text" },
  { "paginate", "boolean", default = true, env = false,
    help = "join all pages; not with --no-paginate, a page size or a token" },
  { "print-request", "boolean", env = false, help = "show the signed request and send nothing" },
}

-- Options of every workflow that make sense here -> whether they give way to a member of their name.
local SHARED = { region = false, profile = false, ["endpoint-url"] = false, sandbox = true, ["sandbox-state"] = true,
  timeout = true, ["log-file"] = true }

--- The options of the command, beside the members: its own, and those of every workflow that make sense.
aws.OPTIONS = table.move(OWN, 1, #OWN, 1, {})
for _, spec in ipairs(cli.GLOBAL_OPTIONS) do
  if SHARED[spec[1]] ~= nil then aws.OPTIONS[#aws.OPTIONS + 1] = spec end
end

---------------------------------------------------------------------------------------------------------
-- The words

local function command_specs()
  return assert(params.check(aws.OPTIONS))
end

--- Option -> its declaration, of those that stay the command's behind an operation with these members.
local function taken_from(members)
  local taken = {}
  for _, spec in ipairs(command_specs()) do taken[params.option(spec.name)] = spec end
  for member in pairs(members) do
    local option = input.option(member)
    if taken[option] and SHARED[taken[option].name] then taken[option] = nil end
  end
  return taken
end

--- Adds the words that are the command's own options, with their values, to one list, the rest to the other.
local function split(words, taken, own, others)
  local i = 1
  while words[i] do
    local option = words[i]:match("^%-%-[^=]+")
    local spec = option and (taken[option] or taken[(option:gsub("^%-%-no%-", "--"))])
    local takes_value = spec and spec.type ~= "boolean" and not spec.implied and option == words[i]
    local target = spec and own or others
    target[#target + 1] = words[i]
    if takes_value then target[#target + 1] = words[i + 1] end
    i = i + (takes_value and 2 or 1)
  end
end

local function take_help(words)
  local rest, wanted = {}, false
  for _, word in ipairs(words) do
    if word == "--help" or word == "-h" then wanted = true else rest[#rest + 1] = word end
  end
  return rest, wanted
end

--- Service and operation, wherever options stand around them; the words in front of the operation, and those
-- behind it.
local function take_names(words)
  local specs, names, before, i = command_specs(), {}, {}, 1
  while words[i] and #names < 2 do
    local from = table.move(words, i, #words, 1, {})
    local skipped = params.skip_options(specs, from) - 1
    table.move(words, i, i + skipped - 1, #before + 1, before)
    names[#names + 1] = words[i + skipped]
    i = i + skipped + 1
  end
  return names[1], names[2], before, table.move(words, i, #words, 1, {})
end

---------------------------------------------------------------------------------------------------------
-- The call

--- Whether the pages are to be joined: not when the user turns them, by a token or a size.
local function joins_pages(call, value)
  local pages = (call.model:part "paginators" or {})[call.operation.name]
  if not pages then return false end
  if pages.limit_key and value[pages.limit_key] ~= nil then return false end
  local tokens = type(pages.input_token) == "table" and pages.input_token or { pages.input_token }
  for _, token in ipairs(tokens) do
    if value[token] ~= nil then return false end
  end
  return true
end

local function is_empty(value)
  return type(value) == "table" and next(value) == nil
end

--- The output as words; none for one without anything in it, as of an operation that only does something.
local function show(value, mode)
  if mode == "text" then return table.concat(require("tap.aws_text").lines(value), "\n") end
  return json.encode(value, { indent = 2 })
end

local HIDDEN = { ["x-amz-security-token"] = true, ["x-amz-s3session-token"] = true }

--- A request as HTTP writes it, but for the secrets that are in it.
local function show_request(request)
  local lines = { request.method .. " " .. request.url }
  for _, name in ipairs(json.keys(request.headers)) do
    local values = request.headers[name]
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      lines[#lines + 1] = ("%s: %s"):format(name, HIDDEN[name:lower()] and "****" or value)
    end
  end
  local body = request.body
  local is_text = require("tap.core.text").utf8_valid(body) and not body:find("[^%g%s\128-\255]")
  if not is_text then body = ("(%d bytes)"):format(#body) end
  return require("tap.core.log").redact(table.concat(lines, "\n") .. (body ~= "" and "\n\n" .. body or ""))
end

--- Before anything is sent: a call must not be made for a query with a typo.
local function compile(expression)
  local query, problem = errors.try(require("tap.core.jmespath").compile, expression)
  if query then return query end
  return errors.raise { class = "usage", code = "BadArguments", cause = problem,
    message = "--query " .. tostring(problem) }
end

-- What would be sent; a file's bytes, too.
local function prepare(call, client, value, from)
  if from then value[shape.stream_member(call.operation.input, call.shapes)] = sys.read_file(from) end
  return show_request(client:prepare(call.operation.name, value))
end

local function run_call(call, p)
  local query = p.query and compile(p.query)
  local value, from = input.build(call.given, p.input, call.operation, call.shapes)
  local client = require("tap.client").new(call.model:service())
  local name = call.operation.name
  if p.print_request then return prepare(call, client, value, from) end
  local output
  if p.paginate and joins_pages(call, value) then
    output = client:collect(name, value)
  else
    output = client[name](client, value, { from = from, to = call.outfile })
  end
  if call.operation.output then output = shape.write(call.shapes, call.operation.output.shape, output) end
  if query then
    output = query:search(output)
    if output == nil then output = json.null end
  elseif is_empty(output) then
    return ""
  end
  return show(output, p.output)
end

local function members_of(operation, shapes)
  return operation.input and shapes[operation.input.shape].members or {}
end

local function run_operation(m, operation, before, behind)
  local shapes = shape.all(m)
  local own, others = {}, {}
  split(before, taken_from {}, own, others)
  split(behind, taken_from(members_of(operation, shapes)), own, others)
  local given, outfile = input.parse(others, operation, shapes)
  local call = { model = m, operation = operation, shapes = shapes, given = given, outfile = outfile }
  local wf = require("tap.workflow").new { name = "aws", summary = "one call", params = OWN,
    run = function(_, p) return nil, run_call(call, p) end }
  return require("tap.cli_run").run(wf, own)
end

local function show_help(m, operation)
  local shapes = shape.all(m)
  local taken = taken_from(members_of(operation, shapes))
  print(table.concat(help.operation(m, operation, shapes, taken), "\n"))
  return 0
end

--- `tapengine aws [SERVICE [OPERATION [options]]]`.
---@param argv string[] with `leading`: the options in front of the word aws
---@return integer exit code
function aws.run(argv)
  local words, wants_help = take_help(table.move(argv, 1, #argv, #argv.leading + 1,
    table.move(argv.leading, 1, #argv.leading, 1, {})))
  local service, name, before, behind = take_names(words)
  if not service and wants_help then return require("tap.cli_help").run { "aws" } end
  if not service then
    print(table.concat(help.services(), "\n"))
    return 0
  end
  local m = model.load(service)
  if not name then
    print(table.concat(help.operations(m), "\n"))
    return 0
  end
  local operation = m:operation(name) -- an unknown one names the nearest
  if wants_help then return show_help(m, operation) end
  return run_operation(m, operation, before, behind)
end

return aws

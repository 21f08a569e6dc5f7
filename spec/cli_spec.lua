-- The command line as people and scripts meet it.
local helpers = require "spec.helpers"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"

local WORKFLOWS = { "create", "delete", "events", "outputs", "status", "validate" }

teardown(helpers.clean)

describe("the command", function()
  it("alone and with help lists every workflow with its summary", function()
    for _, words in ipairs { {}, { "help" }, { "--help" } } do
      local result = helpers.tapengine(words)
      assert.equal(0, result.code)
      for _, name in ipairs(WORKFLOWS) do assert.matches("\n  " .. name .. " +%l", result.out) end
    end
  end)

  it("has help for every workflow, written from the same table as the argument check", function()
    for _, name in ipairs(WORKFLOWS) do
      local result = helpers.tapengine { "help", name }
      assert.equal(0, result.code)
      for option in result.out:gmatch("\n  (%-%-[%l%d-]+)") do
        local tried = helpers.tapengine { name, option .. "=", "--output", "nonsense" }
        assert.is_nil(tried.err:find("unknown option", 1, true), name .. " " .. option)
      end
      assert.equal(result.out, helpers.tapengine { name, "--help" }.out)
    end
  end)

  it("has help for its own commands, the sandbox's options included", function()
    for _, name in ipairs { "aws", "list", "help", "version", "eject", "completion", "sandbox" } do
      assert.matches("^tapengine " .. name, helpers.tapengine({ "help", name }).out)
    end
    assert.matches("--listen TEXT", helpers.tapengine({ "sandbox", "--help" }).out, 1, true)
  end)

  it("says its version", function()
    assert.matches("^tapengine %d+%.%d+%.%d+\n$", helpers.tapengine({ "version" }).out)
  end)

  it("that does not exist is refused with the nearest one, exit 2", function()
    local result = helpers.tapengine { "crate", "--stack-name", "x" }
    assert.equal(2, result.code)
    assert.matches("no command or workflow 'crate', did you mean 'create'?", result.err, 1, true)
    assert.equal("", result.out)
  end)

  it("with an unknown option is refused with the nearest one, exit 2", function()
    local result = helpers.tapengine { "create", "--stak-name", "x" }
    assert.equal(2, result.code)
    assert.matches("unknown option --stak-name, did you mean '--stack-name'?", result.err, 1, true)
  end)

  it("that cannot say what it would do refuses --dry-run, exit 2", function()
    local result = helpers.tapengine { "status", "--stack-name", "x", "--dry-run" }
    assert.equal(2, result.code)
    assert.equal("", result.out)
  end)

  it("takes global options in front of the workflow's name, too", function()
    local result = helpers.tapengine { "--sandbox", "--output", "json", "create", "--stack-name", "T",
      "--template", helpers.file("t.json", helpers.template()) }
    assert.equal(0, result.code, result.err)
    assert.matches('"status": "CREATE_COMPLETE"', result.out, 1, true)
  end)

  it("of options only is refused, with the nearest one that would do", function()
    local result = helpers.tapengine { "--hepl" }
    assert.equal(2, result.code)
    assert.matches("did you mean '--help'?", result.err, 1, true)
  end)

  it("without a region says how to set one, exit 2", function()
    local result = helpers.tapengine { "status", "--stack-name", "x" }
    assert.equal(2, result.code)
    assert.matches("--region", result.err, 1, true)
  end)

  it("writes its log where --log-file says, and refuses a place that is none, exit 2", function()
    local path = helpers.folder() .. "/new/run.log"
    local words = { "create", "--sandbox", "--dry-run", "--stack-name", "T", "--log-file", path, "--template",
      helpers.file("t.json", helpers.template()) }
    assert.equal(20, helpers.tapengine(words).code)
    local lines = helpers.json_lines(sys.read_file(path))
    assert.same({ "run begins", "run ends" }, { lines[1].message, lines[#lines].message })
    words[7] = "/proc/none/run.log"
    assert.equal(2, helpers.tapengine(words).code)
  end)

  it("with a usage error and --output json still gives one JSON object on stdout", function()
    local result = helpers.tapengine { "create", "--output", "json" }
    local answer = require("tap.core.json").decode(result.out)
    assert.equal(2, answer.error.exit)
    assert.equal(2, #answer.error.problems)
  end)
end)

describe("a plain Lua script", function()
  it("runs with its words in arg and ..., and may wait", function()
    local path = helpers.file("plain.lua", [[
      require("tap").sleep(0.01)
      print(arg[0] ~= nil, arg[1], ...)
    ]])
    assert.equal("true\ta\ta\tb\n", helpers.tapengine({ path, "a", "b" }).out)
  end)

  it("takes no options in front of its name, rather than ignoring them", function()
    local path = helpers.file("plain.lua", "print 'ran'")
    local result = helpers.tapengine { "--sandbox", path }
    assert.same({ 2, "" }, { result.code, result.out })
  end)

  it("that is not there or does not compile is refused with its place, exit 2", function()
    assert.equal(2, helpers.tapengine({ "./nothing.lua" }).code)
    local broken = helpers.tapengine { helpers.file("broken.lua", "local x = = 1") }
    assert.equal(2, broken.code)
    assert.matches("broken.lua:1:", broken.err, 1, true)
  end)
end)

describe("eject", function()
  it("copies a built-in workflow out, and never over a file that is there", function()
    local folder = helpers.folder()
    local result = helpers.tapengine { "eject", "create", cwd = folder }
    assert.same({ 0, "tap/create.lua\n" }, { result.code, result.out })
    assert.matches("tap.workflow", sys.read_file(folder .. "/tap/create.lua"), 1, true)
    assert.equal(4, helpers.tapengine({ "eject", "create", cwd = folder }).code)
  end)
end)

describe("completion", function()
  it("for bash knows commands and options, and is a script that bash accepts", function()
    local script = helpers.tapengine({ "completion", "bash" }).out
    local path = helpers.file("completion.bash", script)
    local function complete(...)
      local words = { ... }
      local program = ("source %s; COMP_WORDS=(tapengine %s); COMP_CWORD=%d; _tapengine; echo "
        .. "${COMPREPLY[*]}"):format(path, table.concat(words, " "), #words)
      return proc.run({ "bash", "-c", program }).out
    end
    assert.equal("create\n", complete("crea"))
    assert.matches("--stack-name", complete("create", "--st"), 1, true)
    assert.equal("--follow\n", complete("events", "--fo"))
  end)

  it("for fish and zsh names every workflow; another shell is refused", function()
    for _, shell in ipairs { "fish", "zsh" } do
      local script = helpers.tapengine({ "completion", shell }).out
      for _, name in ipairs(WORKFLOWS) do assert.matches(name, script, 1, true) end
    end
    assert.equal(2, helpers.tapengine({ "completion", "tcsh" }).code)
  end)
end)

--- The system as scripts see it: errors, files, the environment, child processes, the log, the search for
-- scripts, the command.

local assets = require "tap.core.assets"
local errors = require "tap.core.error"
local log = require "tap.core.log"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local task = require "tap.task"

local function failure(f, ...)
  local ok, problem = pcall(f, ...)
  assert.is_false(ok)
  return problem
end

local folder

setup(function()
  folder = os.tmpname()
  os.remove(folder)
  sys.mkdir_p(folder)
end)

teardown(function()
  proc.run { "rm", "-r", folder }
end)

-- This program, with other words.
local function engine(...)
  return proc.run { sys.executable(), ... }
end

describe("an error", function()
  it("of a service prints where, what and the request's id", function()
    local e = errors.new { class = "service", code = "ValidationError", service = "CloudFormation",
      operation = "DescribeStacks", message = "Stack with id x does not exist", request_id = "r-1" }
    assert.equal("CloudFormation DescribeStacks: ValidationError: Stack with id x does not exist "
      .. "(request id r-1)", tostring(e))
  end)

  it("with a place prints it as compilers do", function()
    local e = errors.new { class = "parse", file = "a.yml", line = 3, column = 7, message = "unexpected '}'" }
    assert.equal("a.yml:3:7: unexpected '}'", tostring(e))
    assert.equal("a.yml: too large", tostring(errors.new { file = "a.yml", message = "too large" }))
  end)

  it("prints its cause, and something even when it says nothing", function()
    local e = errors.new { message = "the step failed", cause = errors.new { code = "Throttling" } }
    assert.equal("the step failed (because: Throttling)", tostring(e))
    assert.equal("unknown error", tostring(errors.new {}))
    assert.equal("unknown error", tostring(errors.new { message = {}, file = print }))
  end)

  it("matches by code or class, with * and ?", function()
    local e = errors.new { code = "ThrottlingException", class = "service" }
    assert.is_true(e:is "Throttling*")
    assert.is_true(e:is "service")
    assert.is_true(e:is "?hrottlingException")
    assert.is_false(e:is "Throttling")
    assert.is_false(errors.new {}:is "*")
    assert.is_true(errors.is(e))
    assert.is_false(errors.is "Throttling")
    assert.is_false(errors.is({ code = "ThrottlingException" }, "Throttling*"))
  end)
end)

describe("files", function()
  it("come back as they were written, with every byte", function()
    local bytes = {}
    for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
    local text = table.concat(bytes):rep(300)
    sys.write_file(folder .. "/bytes", text)
    assert.equal(text, sys.read_file(folder .. "/bytes"))
    sys.write_file(folder .. "/bytes", "short")
    assert.equal("short", sys.read_file(folder .. "/bytes"))
  end)

  it("get the mode that is asked for", function()
    sys.write_file(folder .. "/secret", "x", 384)
    assert.equal("600\n", proc.run({ "stat", "-c", "%a", folder .. "/secret" }).out)
  end)

  it("that cannot be read say their path and the reason", function()
    local e = failure(sys.read_file, folder .. "/missing")
    assert.equal("io", e.class)
    assert.equal("NotFound", e.code)
    assert.equal("cannot read " .. folder .. "/missing: No such file or directory", tostring(e))
    assert.matches("Is a directory", tostring(failure(sys.read_file, folder)))
    assert.matches("^cannot write ", tostring(failure(sys.write_file, folder .. "/no/such", "")))
  end)

  it("are listed sorted; folders are made with their parents, once or twice", function()
    sys.mkdir_p(folder .. "/list/b/c")
    sys.mkdir_p(folder .. "/list/b/c")
    sys.write_file(folder .. "/list/a", "")
    sys.write_file(folder .. "/list/.hidden", "")
    assert.same({ ".hidden", "a", "b" }, sys.list_dir(folder .. "/list"))
    assert.same({}, sys.list_dir(folder .. "/list/b/c"))
    assert.is_true(sys.exists(folder .. "/list/b"))
    assert.is_false(sys.exists(folder .. "/list/x"))
    assert.equal("NotFound", failure(sys.list_dir, folder .. "/list/x").code)
    assert.equal("NotFound", failure(sys.list_dir, folder .. "/list/a").code)
    assert.equal("AlreadyExists", failure(sys.mkdir_p, folder .. "/list/a").code)
  end)
end)

describe("the environment", function()
  it("is read and set, and children see it", function()
    sys.setenv("TAP_SPEC", "one=1")
    assert.equal("one=1", sys.getenv "TAP_SPEC")
    assert.equal("one=1", sys.environ().TAP_SPEC)
    assert.equal("one=1\n", proc.run({ "printenv", "TAP_SPEC" }).out)
    sys.setenv("TAP_SPEC", nil)
    assert.is_nil(sys.getenv "TAP_SPEC")
    assert.error_matches(function() sys.setenv("A=B", "c") end, "a variable's name is expected")
  end)
end)

describe("a child process", function()
  it("gives its exit code and both its outputs", function()
    local result = proc.run { "sh", "-c", "echo out; echo err >&2; exit 3" }
    assert.same({ code = 3, out = "out\n", err = "err\n" }, result)
  end)

  it("gets its input, its folder and additions to the environment", function()
    local result = proc.run { "sh", "-c", "cat; pwd; echo $TAP_A-$HOME", input = "in\n", cwd = "/",
      env = { TAP_A = "a", HOME = "/nowhere" } }
    assert.equal("in\n/\na-/nowhere\n", result.out)
  end)

  it("that a signal ended says which", function()
    local result = proc.run { "sh", "-c", "kill -KILL $$" }
    assert.equal(-1, result.code)
    assert.equal(9, result.signal)
  end)

  it("that does not exist is an error with its name", function()
    local e = failure(proc.run, { "no-such-program-here" })
    assert.equal("io", e.class)
    assert.matches("no-such-program-here", e.message, 1, true)
  end)

  it("is ended when its task is cancelled", function()
    local e = failure(task.timeout, 0.05, proc.run, { "sleep", "1000" })
    assert.equal("Timeout", e.code)
  end)

  it("is not started in a task that has been cancelled", function()
    local marker = folder .. "/started"
    task.scope(function(s)
      local child = s:spawn(function()
        pcall(task.sleep, 1000)
        pcall(proc.run, { "touch", marker })
      end)
      task.sleep(0)
      child:cancel()
      child:cancel()
    end)
    assert.is_false(sys.exists(marker))
  end)

  it("with an unknown option is refused, with the nearest", function()
    assert.error_matches(function() proc.run { "true", inputs = "x" } end, "did you mean 'input'")
    assert.error_matches(function() proc.run { "true", input = 1 } end, "option 'input': string expected")
    assert.error_matches(function() proc.run {} end, "a program is expected")
    assert.error_matches(function() proc.run { "echo", 1 } end, "are strings")
  end)
end)

describe("the log", function()
  it("writes one JSON object a line, with its fields, and no secret", function()
    local path = folder .. "/log/run.log"
    log.secret "hunter2hunter2"
    log.open { path = path, level = "info" }
    log.field("run", "r-1")
    log.write("debug", "too quiet")
    log.write("warn", "password is hunter2hunter2", { attempt = 2 })
    local lines = {}
    for line in sys.read_file(path):gmatch("[^\n]+") do
      lines[#lines + 1] = require("tap.core.json").decode(line)
    end
    assert.equal(1, #lines)
    assert.equal("password is ****", lines[1].message)
    assert.equal("warn", lines[1].level)
    assert.equal("r-1", lines[1].run)
    assert.equal(2, lines[1].attempt)
    assert.equal("a **** b", log.redact "a hunter2hunter2 b")
  end)

  it("refuses a level that there is not, and a file that cannot be", function()
    assert.error_matches(function() log.write("warning", "x") end, "did you mean 'warn'")
    assert.equal("io", failure(log.open, { path = folder }).class)
  end)
end)

describe("the scripts", function()
  it("on disk win over the copies in the binary", function()
    sys.mkdir_p(folder .. "/scripts/tap")
    sys.write_file(folder .. "/scripts/tap/spec_only.lua", "return 'from disk'")
    local before, folders = sys.getenv "TAP_PATH", folder .. "/nowhere:" .. folder .. "/scripts"
    local asked = proc.run { sys.executable(), "-e", [[print((require "tap.spec_only"))]],
      env = { TAP_PATH = folders } }
    assert.equal("from disk\n", asked.out)
    sys.setenv("TAP_PATH", folders)
    finally(function() sys.setenv("TAP_PATH", before) end)
    local path, text, origin, shadowed = assets.find "tap/spec_only.lua"
    assert.equal(folder .. "/scripts/tap/spec_only.lua", path)
    assert.equal("return 'from disk'", text)
    assert.equal("path", origin)
    assert.same({}, shadowed)

    sys.write_file(folder .. "/scripts/tap/task.lua", "return 'shadow'")
    path, text, origin, shadowed = assets.find "tap/task.lua"
    assert.equal(folder .. "/scripts/tap/task.lua", path)
    assert.equal("return 'shadow'", text)
    assert.equal("path", origin)
    assert.same({ path = "tap/task.lua", origin = "embedded" }, shadowed[#shadowed])
  end)

  it("of the repository are found by a fresh build, the share folder's by an installed binary", function()
    local code = "local _, text, origin = require('tap.core.assets').find 'tap/init.lua' print(text, origin)"
    local function asked(binary, library)
      local root = folder .. "/" .. binary:match("^%w+")
      sys.mkdir_p((root .. "/" .. library .. "/tap"))
      sys.mkdir_p((folder .. "/" .. binary):match("^(.*)/"))
      sys.write_file(root .. "/" .. library .. "/tap/init.lua", library)
      proc.run { "cp", sys.executable(), folder .. "/" .. binary }
      return proc.run({ folder .. "/" .. binary, "-e", code, env = { TAP_PATH = "" } }).out
    end
    assert.equal("scripts\ttree\n", asked("tree/build/tapengine", "scripts"))
    assert.equal("scripts\ttree\n", asked("tree/build/release/tapengine", "scripts"))
    assert.equal("share/tapengine\tshare\n", asked("prefix/bin/tapengine", "share/tapengine"))
  end)

  it("of the binary are listed and read by name", function()
    local names = {}
    for _, name in ipairs(assets.list()) do names[name] = true end
    assert.is_true(names["tap/task.lua"])
    assert.matches("task.scope", assets.read "tap/task.lua", 1, true)
    assert.is_nil(assets.read "tap/no_such.lua")
    assert.is_nil(assets.find "no_such.lua")
  end)

  it("count as they are on disk, also where the binary has them compiled", function()
    local source = assets.read "tap/exit.lua"
    local function answer(text)
      sys.mkdir_p(folder .. "/edited/tap")
      sys.write_file(folder .. "/edited/tap/exit.lua", text)
      local asked = proc.run { sys.executable(), "-e", [[local e = require "tap.exit" print(e.edited, e.of)]],
        env = { TAP_PATH = folder .. "/edited" } }
      return asked.out
    end
    assert.matches("^nil\t", answer(source))
    assert.matches("^yes\t", answer((source:gsub("return (%w+)%s*$", "%1.edited = 'yes' return %1"))))
  end)

  it("name their own lines in errors, compiled or not", function()
    local message = failure(require("tap.regex").matches, nil, "x")
    assert.matches("^scripts/tap/regex.lua:%d+: ", message)
  end)

  it("that are missing or broken say so by name", function()
    assert.error_matches(function() require "tap.no_such" end, "no file 'tap/no_such.lua' among the engine")
    sys.mkdir_p(folder .. "/broken/tap")
    sys.write_file(folder .. "/broken/tap/broken.lua", "return return")
    local asked = proc.run { sys.executable(), "-e", [[require "tap.broken"]],
      env = { TAP_PATH = folder .. "/broken" } }
    assert.matches("error loading module 'tap.broken'.*broken.lua:1:", asked.err)
  end)
end)

describe("the command", function()
  it("runs code from its words and from standard input", function()
    assert.same({ code = 7, out = "a b\n", err = "" }, engine("-e", "print(...) return 7", "a b"))
    local result = proc.run { sys.executable(), "-", "x", input = "print(arg[0], ...)" }
    assert.equal("-\tx\n", result.out)
  end)

  it("loads the libraries that only requests need with the first request", function()
    local loaded = [[
      local function loaded()
        local maps, out = require("tap.core.sys").read_file "/proc/self/maps", {}
        for _, name in ipairs { "libcurl", "libcrypto", "libmicrohttpd" } do
          out[#out + 1] = maps:find(name, 1, true) and name or "-"
        end
        return table.concat(out, " ")
      end
      print(loaded())
      pcall(require("tap.core.http").request, { method = "GET", url = "http://127.0.0.1:9/" })
      print(loaded())]]
    assert.equal("- - -\nlibcurl libcrypto -\n", engine("-e", loaded).out)
  end)

  it("exits 0 for nothing and true, 1 for false", function()
    assert.equal(0, engine("-e", "").code)
    assert.equal(0, engine("-e", "return true").code)
    assert.equal(1, engine("-e", "return false").code)
  end)

  it("prints a script's error with its traceback, an error table as a sentence", function()
    local result = engine("-e", "local function lost() error 'gone' end lost()")
    assert.equal(1, result.code)
    assert.matches("^tapengine: .*gone\nstack traceback:.*lost", result.err)
    result = engine("-e", "error(require('tap.core.error').new { class = 'network', message = 'no way' })")
    assert.same({ code = 11, out = "", err = "tapengine: no way\n" }, result)
  end)

  it("keeps secrets out of what it prints of an error", function()
    local result = engine("-e", "require('tap.core.log').secret 'hunter3hunter3' error 'is hunter3hunter3'")
    assert.matches("is ****", result.err, 1, true)
    assert.is_nil(result.err:find("hunter3hunter3", 1, true))
  end)

  it("exits 2 for code that does not compile, and says where", function()
    local result = engine("-e", "x =")
    assert.equal(2, result.code)
    assert.matches(":1: unexpected symbol near <eof>", result.err, 1, true)
  end)

  it("cancels what still runs when the root fails, with its clean-up", function()
    local result = engine("-e", [[
      local task = require "tap.task"
      task.current():spawn(function()
        local _ <close> = setmetatable({}, { __close = function() task.sleep(0.01) print "clean" end })
        task.sleep(1000)
      end)
      task.sleep(0)
      error("root", 0)
    ]])
    assert.equal("clean\n", result.out)
    assert.matches("^tapengine: root\n", result.err)
  end)

  it("lets a script wait for a signal instead of dying of it", function()
    local result = engine("-e", [[
      local task, sys, proc = require "tap.task", require "tap.core.sys", require "tap.core.proc"
      task.scope(function(s)
        s:spawn(function() proc.run { "sh", "-c", "kill -TERM $0", tostring(sys.pid()) } end)
        print(task.signal { "INT", "TERM" })
      end)
    ]])
    assert.equal("TERM\n", result.out)
  end)

  it("reads lines, however they arrive, and leaves what follows to the next reader", function()
    local code = "local s = require 'tap.core.sys' print(s.read_line '? ') print(s.read_line())"
    local shell = "(printf 'he'; sleep 0.05; printf 'llo\\nnext\\nrest') | { %s -e \"%s\"; cat; }"
    local result = proc.run { "sh", "-c", shell:format(sys.executable(), code) }
    assert.same({ code = 0, out = "hello\nnext\nrest", err = "? " }, result)
    local one = { sys.executable(), "-e", code, input = "last" }
    assert.equal("last\nnil\n", proc.run(one).out)
  end)

  it("waits for a line without stopping its other tasks", function()
    local code = [[
      local task, sys = require 'tap.task', require 'tap.core.sys'
      task.all { function() print(sys.read_line()) end, function() task.sleep(0) print 'meanwhile' end }
    ]]
    local shell = '(sleep 0.1; echo answer) | %s -e "%s"'
    assert.equal("meanwhile\nanswer\n", proc.run({ "sh", "-c", shell:format(sys.executable(), code) }).out)
  end)
end)

--- Reads back what a stack has made, and says whether it is as it should be.

local tap = require "tap"

return tap.workflow {
  name = "verify",
  summary = "read back what a stack made: healthy, encrypted, private, available; exit 9 when not",
  params = {
    { "stack-name", "string", positional = true, help = "name or id of the stack; else the stack file's" },
    { "stack-file", "file", help = "its `verify` settings; else the only X.stack.lua here" },
    { "template", "file", help = "the stack file stands beside it" },
    { "check", "list", help = "only these checks" },
    { "junit", "file", help = "also write a JUnit report" },
    { "timeout", "duration", help = "for what takes time; else each check's own" },
  },
  usage = "tapengine verify web --junit report.xml",

  run = function(ctx, p)
    local target, util, verify = require "tap.target", require "tap.util", require "tap.verify"
    local t = target.open(ctx, p, { name = true })
    require("tap.check").demand_settings(t.file.verify, t.file.path)
    local cfn = tap.client "cloudformation"
    local description = tap.stack(cfn, t.name):must_describe()
    local results = verify.run(ctx, cfn, description, { only = p.check, timeout = p.timeout,
      settings = t.file.verify, ignore_drift = t.file.ignore_drift })
    if p.junit then tap.sys.write_file(p.junit, verify.junit(t.name, results)) end
    local problems = verify.problems(results)
    local lines = verify.lines(results)
    lines[#lines + 1] = ("%s, %d did not pass"):format(util.count(#results, "check"), #problems)
    return { exit = #problems > 0 and "unverified" or nil, stack_name = t.name, results = results,
      passed = #results - #problems, failed = #problems }, table.concat(lines, "\n")
  end,
}

--- Lints templates offline: files, folders, or standard input ("-").

local tap = require "tap"

return tap.workflow {
  name = "lint",
  summary = "check templates offline, in milliseconds; exit 3 when one has an error",
  params = {
    { "file", "list", required = true, positional = true, help = "templates, folders, or - for standard input" },
    { "format", "enum", values = { "text", "json", "github", "sarif", "junit" }, default = "text",
      help = "json: one object a line" },
    { "ignore", "list", help = "rules, or beginnings of their ids: E3002, W" },
    { "rules", "file", help = "folder with a team's own rules" },
    { "security", "boolean", default = false, help = "also what is public, in clear text or allowed too much" },
  },
  usage = "tapengine lint web.yml",

  run = function(_, p)
    local run = require "lint.run"
    local findings, sources = run.all(p.file, { ignore = p.ignore, rules = p.rules, security = p.security })
    local exit
    for _, finding in ipairs(findings) do
      if finding.level == "error" then exit = "invalid" end
    end
    return { exit = exit, findings = findings }, require("lint.format").show(p.format, findings, sources)
  end,
}

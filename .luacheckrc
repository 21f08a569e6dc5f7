-- luacheck: the whole tree is clean under this file (`luacheck scripts spec vendor`).
std = "lua54"
max_line_length = 120
files["spec"] = { std = "+busted" }

--- The scheduler: what a script can rely on when it waits, fails, is cancelled or cleans up.

local core = require "tap.core.task"
local errors = require "tap.core.error"
local task = require "tap.task"

-- A <close> variable that calls f.
local function on_close(f)
  return setmetatable({}, { __close = function(_, problem) f(problem) end })
end

local function canceled(problem)
  return errors.is(problem, "Canceled")
end

local plain_assert = _G.assert -- busted's own wraps the message

-- The error that f raises; none is a failure.
local function failure(f, ...)
  local ok, problem = pcall(f, ...)
  assert.is_false(ok)
  return problem
end

describe("tasks", function()
  local clock

  before_each(function() clock = task.clock("virtual") end)
  after_each(function() task.clock(clock) end)

  describe("time", function()
    it("an hour's sleep on the virtual clock takes an hour of that clock and none of ours", function()
      local before, real = task.monotonic(), os.time()
      task.sleep(3600)
      assert.equal(3600, task.monotonic() - before)
      assert.is_true(os.time() - real < 60)
    end)

    it("sleepers wake in the order of their times, not of their start", function()
      local order = {}
      task.all {
        function() task.sleep(3) order[#order + 1] = 3 end,
        function() task.sleep(1) order[#order + 1] = 1 end,
        function() task.sleep(2) order[#order + 1] = 2 end,
      }
      assert.same({ 1, 2, 3 }, order)
    end)

    it("sleep(0) lets the other tasks that are ready go first", function()
      local order = {}
      task.all {
        function() order[#order + 1] = "a1" task.sleep(0) order[#order + 1] = "a2" end,
        function() order[#order + 1] = "b1" end,
      }
      assert.same({ "a1", "b1", "a2" }, order)
    end)

    it("the virtual clock begins where it is told", function()
      task.clock("virtual", 1000000000)
      assert.equal(1000000000, task.now())
      task.sleep(1.5)
      assert.equal(1000000001.5, task.now())
    end)

    it("refuses a time that is none", function()
      assert.error_matches(function() task.sleep(-1) end, "number of seconds")
      assert.error_matches(function() task.sleep(0 / 0) end, "number of seconds")
      assert.error_matches(function() task.sleep("soon") end, "number expected")
      assert.error_matches(function() task.clock("virtuel") end, "did you mean 'virtual'")
    end)
  end)

  describe("results and errors", function()
    it("all gives the results in the order of the functions", function()
      local results = task.all {
        function() task.sleep(2) return "first" end,
        function() task.sleep(1) return "second" end,
        function() return "third" end,
      }
      assert.same({ "first", "second", "third" }, { table.unpack(results) })
    end)

    it("all of nothing is an empty list", function()
      assert.equal("[]", require("tap.core.json").encode(task.all {}))
    end)

    it("a scope gives all results of its function, nil among them", function()
      local results = table.pack(task.scope(function(_, a) return a, nil, 3, nil end, 1))
      assert.same(table.pack(1, nil, 3, nil), results)
    end)

    it("an error table passes through tasks, pcall and assert untouched", function()
      local problem = errors.new { code = "Broken", message = "it broke" }
      local function broken() task.sleep(1) plain_assert(nil, problem) end
      assert.equal(problem, failure(broken))
      assert.equal(problem, failure(task.scope, function(s) s:spawn(broken):wait() end))
      assert.equal(problem, failure(task.all, { broken }))
      assert.equal(problem, failure(task.timeout, 10, broken))
      assert.equal(problem, failure(coroutine.wrap(broken)))
    end)

    it("pcall and xpcall catch what a wait inside of them raises, and go on waiting", function()
      local ok, problem = xpcall(function() task.sleep(1) error("oh", 0) end, function(e) return e .. "!" end)
      assert.is_false(ok)
      assert.equal("oh!", problem)
      task.sleep(1)
    end)

    it("a task that failed tells where, also for an error that went through its parents", function()
      local function deep_down() task.sleep(1) error("lost") end
      local inner, outer
      pcall(task.scope, function(s)
        outer = s
        inner = s:spawn(function() task.scope(function() deep_down() end) end)
      end)
      assert.matches("deep_down", inner:traceback())
      assert.matches("deep_down", outer:traceback())
      assert.equal("failed", inner:status())
      pcall(task.scope, function(s)
        outer = s
        s:spawn(function() deep_down() end)
        task.sleep(10) -- cancelled here; that is not what failed
      end)
      assert.matches("deep_down", outer:traceback())
    end)

    it("a task's status says how it stands", function()
      task.scope(function(s)
        assert.equal("running", s:status())
        local child = s:spawn(task.sleep, 1)
        assert.equal("ready", child:status())
        task.sleep(0)
        assert.equal("waiting", child:status())
        child:wait()
        assert.equal("done", child:status())
      end)
    end)
  end)

  describe("structure", function()
    it("a parent ends only after all its children", function()
      local ended = false
      task.scope(function(s) s:spawn(function() task.sleep(60) ended = true end) end)
      assert.is_true(ended)
    end)

    it("a child's failure cancels its siblings and the body, and is the error that is raised", function()
      local seen = {}
      local function sibling()
        local problem = failure(task.sleep, 100)
        seen[#seen + 1] = problem
        error(problem, 0)
      end
      local problem = failure(task.scope, function(s)
        s:spawn(sibling)
        s:spawn(function() task.sleep(1) error("first", 0) end)
        s:spawn(sibling)
        sibling()
      end)
      assert.equal("first", problem)
      assert.equal(3, #seen)
      for _, e in ipairs(seen) do
        assert.is_true(canceled(e))
        assert.equal("first", e.cause)
      end
    end)

    it("the siblings' clean-up may wait and is awaited before the failure is raised", function()
      local cleaned
      local begun = task.monotonic()
      local problem = failure(task.all, {
        function()
          local _ <close> = on_close(function() task.sleep(30) cleaned = task.monotonic() - begun end)
          task.sleep(1000)
        end,
        function() task.sleep(1) error("broken", 0) end,
      })
      assert.equal("broken", problem)
      assert.equal(31, cleaned)
    end)

    it("a child's failure cancels its siblings, also when the body has returned", function()
      local begun = task.monotonic()
      local problem = failure(task.scope, function(s)
        s:spawn(task.sleep, 1000)
        s:spawn(function() task.sleep(1) error("late", 0) end)
      end)
      assert.equal("late", problem)
      assert.equal(1, task.monotonic() - begun)
    end)

    it("an error in a sibling's clean-up does not replace the first one", function()
      local problem = failure(task.all, {
        function() pcall(task.sleep, 1000) error("second", 0) end,
        function() task.sleep(1) error("first", 0) end,
      })
      assert.equal("first", problem)
    end)

    it("a body that fails cancels its children and waits for them", function()
      local cleaned = false
      local problem = failure(task.scope, function(s)
        s:spawn(function()
          local _ <close> = on_close(function() task.sleep(5) cleaned = true end)
          task.sleep(1000)
        end)
        task.sleep(1)
        error("body", 0)
      end)
      assert.equal("body", problem)
      assert.is_true(cleaned)
    end)

    it("cancelling a task that waits in a nested scope ends that scope first", function()
      local order = {}
      task.scope(function(s)
        local outer = s:spawn(function()
          local _ <close> = on_close(function() order[#order + 1] = "outer" end)
          task.scope(function(inner)
            inner:spawn(function()
              local _ <close> = on_close(function() task.sleep(3) order[#order + 1] = "innermost" end)
              task.sleep(1000)
            end)
            local _ <close> = on_close(function() order[#order + 1] = "inner" end)
            task.sleep(1000)
          end)
        end)
        task.sleep(1)
        outer:cancel()
      end)
      assert.same({ "inner", "innermost", "outer" }, order)
    end)

    it("a cancelled child is no failure of its parent, but of who waits for it", function()
      local child, problem
      task.scope(function(s)
        child = s:spawn(task.sleep, 1000)
        task.sleep(1)
        child:cancel()
        problem = failure(child.wait, child)
      end)
      assert.is_true(canceled(problem))
      assert.equal("canceled", child:status())
    end)

    it("a task that was cancelled before it began never begins", function()
      local begun = false
      task.scope(function(s) s:spawn(function() begun = true end):cancel() end)
      assert.is_false(begun)
    end)

    it("a scope that has ended takes no more tasks", function()
      local scope
      task.scope(function(s) scope = s end)
      assert.equal("ScopeEnded", failure(scope.spawn, scope, print).code)
    end)

    it("a thousand tasks wait side by side", function()
      local begun, functions = task.monotonic(), {}
      for i = 1, 1000 do functions[i] = function() task.sleep(1 + i % 7) return i end end
      local results = task.all(functions)
      assert.equal(7, task.monotonic() - begun)
      for i = 1, 1000 do assert.equal(i, results[i]) end
    end)

    it("no task is lost to the garbage collector while it waits", function()
      local cleaned = 0
      task.scope(function(s)
        for _ = 1, 20 do
          s:spawn(function()
            local _ <close> = on_close(function() cleaned = cleaned + 1 end)
            task.sleep(10)
          end)
        end
        for _ = 1, 5 do
          task.sleep(1)
          collectgarbage()
        end
      end)
      assert.equal(20, cleaned)
    end)

    it("tasks that wait for each other are told so instead of hanging", function()
      local problem = failure(task.scope, function(s)
        local a, b
        a = s:spawn(function() task.sleep(1) b:wait() end)
        b = s:spawn(function() task.sleep(1) a:wait() end)
      end)
      assert.equal("Deadlock", problem.code)
      assert.matches("every task waits for another one", problem.message, 1, true)
    end)

    it("a task cannot wait for itself or for one above it", function()
      assert.equal("Deadlock", failure(task.scope, function(s) s:wait() end).code)
      assert.equal("Deadlock", failure(task.scope, function(s)
        s:spawn(function() s:wait() end)
      end).code)
    end)
  end)

  describe("cancelling", function()
    -- Runs body(scope) in a task that is cancelled after a second.
    local function cancel_after_a_second(body)
      local work
      task.scope(function(s)
        work = s:spawn(body)
        task.sleep(1)
        work:cancel()
      end)
      return work
    end

    it("is raised once: clean-up after it waits undisturbed", function()
      local waited
      cancel_after_a_second(function()
        local first = failure(task.sleep, 1000)
        local begun = task.monotonic()
        task.sleep(10)
        task.all { function() task.sleep(5) end, function() task.sleep(6) end }
        waited = task.monotonic() - begun
        error(first, 0)
      end)
      assert.equal(16, waited)
    end)

    it("a second cancel ends the waits of the clean-up, too, and every later one", function()
      local waits = {}
      local begun = task.monotonic()
      task.scope(function(s)
        local work = s:spawn(function()
          for i = 1, 3 do waits[i] = failure(task.sleep, 1000) end
          error(waits[3], 0)
        end)
        task.sleep(1)
        work:cancel()
        task.sleep(1)
        work:cancel()
      end)
      assert.equal(3, #waits)
      assert.equal(2, task.monotonic() - begun)
    end)

    it("a wait that has succeeded already gives its result; the next one raises", function()
      local got, next_wait
      task.scope(function(s)
        local work = s:spawn(function()
          core.park()
          got = true
          next_wait = failure(task.sleep, 1)
          error(next_wait, 0)
        end)
        task.sleep(1)
        core.unpark(work)
        work:cancel()
      end)
      assert.is_true(got)
      assert.is_true(canceled(next_wait))
    end)

    it("reaches a task that waits for another task that goes on", function()
      local problem
      task.scope(function(s)
        local other = s:spawn(task.sleep, 10)
        local waiter = s:spawn(function() problem = failure(other.wait, other) end)
        task.sleep(1)
        waiter:cancel()
        other:wait()
        assert.equal("done", other:status())
      end)
      assert.is_true(canceled(problem))
    end)

    it("a task that swallows it ends well, and its results are kept", function()
      local work = cancel_after_a_second(function() pcall(task.sleep, 1000) return "kept" end)
      assert.equal("done", work:status())
      assert.equal("kept", work:wait())
    end)

    it("timeout cancels the function, waits for its clean-up and raises an error of class timeout", function()
      local cleaned = false
      local problem = failure(task.timeout, 5, function()
        local _ <close> = on_close(function() task.sleep(1) cleaned = true end)
        task.sleep(1000)
      end)
      assert.equal("Timeout", problem.code)
      assert.equal("timeout", problem.class)
      assert.is_true(cleaned)
    end)

    it("timeout leaves a function alone that is in time, with its results", function()
      local begun = task.monotonic()
      assert.same({ 1, 2 }, { task.timeout(5, function(a, b) task.sleep(1) return a, b end, 1, 2) })
      assert.equal(1, task.monotonic() - begun)
    end)
  end)

  describe("<close> variables", function()
    it("of a body that fails are closed inside the task, where they can wait", function()
      local closed_with, waited
      local problem = failure(task.scope, function()
        local _ <close> = on_close(function(e) task.sleep(7) closed_with, waited = e, true end)
        error("base", 0)
      end)
      assert.equal("base", problem)
      assert.equal("base", closed_with)
      assert.is_true(waited)
    end)

    it("can wait at a normal end, too", function()
      local begun = task.monotonic()
      do
        local _ <close> = on_close(function() task.sleep(2) end)
      end
      task.scope(function() local _ <close> = on_close(function() task.sleep(3) end) end)
      assert.equal(5, task.monotonic() - begun)
    end)

    it("the fourth value of a generic for can wait when the loop is left", function()
      local begun = task.monotonic()
      local function forever() return true end
      local function slow_to_close() return on_close(function() task.sleep(4) end) end
      for _ in forever, nil, nil, slow_to_close() do break end -- luacheck: ignore 512
      pcall(function()
        for _ in forever, nil, nil, slow_to_close() do error "out" end
      end)
      assert.equal(8, task.monotonic() - begun)
    end)

    it("an error in one replaces the task's error, as in plain Lua", function()
      local problem = failure(task.scope, function()
        local _ <close> = on_close(function() task.sleep(1) error("closing", 0) end)
        error("base", 0)
      end)
      assert.equal("closing", problem)
    end)
  end)

  describe("a script's own coroutines", function()
    it("wrap: a generator may wait between its values", function()
      local begun = task.monotonic()
      local values = {}
      for value in coroutine.wrap(function()
        for i = 1, 3 do
          task.sleep(1)
          coroutine.yield(i)
        end
      end) do values[#values + 1] = value end
      assert.same({ 1, 2, 3 }, values)
      assert.equal(3, task.monotonic() - begun)
    end)

    it("resume: gives true and the values, or false and the error, whatever was waited for inside", function()
      local co = coroutine.create(function(a)
        task.sleep(1)
        local b = coroutine.yield(a + 1)
        task.sleep(1)
        error("end " .. b, 0)
      end)
      assert.same({ true, 2 }, { coroutine.resume(co, 1) })
      assert.same({ false, "end x" }, { coroutine.resume(co, "x") })
      assert.equal("dead", coroutine.status(co))
      assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(co) })
    end)

    it("nested three deep", function()
      local outer = coroutine.wrap(function()
        local middle = coroutine.wrap(function()
          local inner = coroutine.wrap(function()
            task.sleep(1)
            coroutine.yield("x")
            task.sleep(1)
            return "y"
          end)
          coroutine.yield(inner())
          coroutine.yield(inner())
        end)
        coroutine.yield(middle())
        task.sleep(1)
        coroutine.yield(middle())
      end)
      assert.equal("x", outer())
      assert.equal("y", outer())
    end)

    it("a cancel is raised inside the coroutine that waits", function()
      local inside
      task.scope(function(s)
        local work = s:spawn(function()
          coroutine.wrap(function() inside = failure(task.sleep, 1000) error(inside, 0) end)()
        end)
        task.sleep(1)
        work:cancel()
      end)
      assert.is_true(canceled(inside))
    end)

    it("one that waits in another task can neither be resumed nor closed meanwhile", function()
      local co = coroutine.create(function() task.sleep(10) return "mine" end)
      local result
      task.scope(function(s)
        s:spawn(function() result = { coroutine.resume(co) } end)
        task.sleep(1)
        local _, problem = coroutine.resume(co)
        assert.equal("cannot resume a coroutine that waits in another task", problem)
        assert.error_matches(function() coroutine.close(co) end, "waits in another task")
      end)
      assert.same({ true, "mine" }, result)
    end)

    it("a wrapped coroutine's error has its caller's place, and its variables are closed", function()
      local closed = false
      local wrapped = coroutine.wrap(function()
        local _ <close> = on_close(function() closed = true end)
        coroutine.yield()
        error("inside", 0)
      end)
      wrapped()
      assert.matches("^[^:]+task_spec.lua:%d+: inside$", failure(function() wrapped() end))
      assert.is_true(closed)
    end)

    it("close runs the variables of a suspended coroutine, and says what they raise", function()
      local co = coroutine.create(function()
        local _ <close> = on_close(function() error("closing", 0) end)
        coroutine.yield()
      end)
      coroutine.resume(co)
      assert.same({ false, "closing" }, { coroutine.close(co) })
      assert.is_true(coroutine.close(coroutine.create(print)))
    end)

    it("a task's base is no coroutine to its script", function()
      local _, main = coroutine.running()
      assert.is_true(main)
      assert.is_false(coroutine.isyieldable())
      assert.error_matches(function() coroutine.yield(1) end, "outside a coroutine")
      assert.is_true(coroutine.wrap(function() return coroutine.isyieldable() end)())
    end)
  end)

  describe("waiting where it is impossible is refused with the places", function()
    local function refused(f)
      local problem = failure(f)
      if errors.is(problem) then assert.equal("CannotWait", problem.code) end
      assert.matches("cannot wait here: inside a table.sort comparator, a string.gsub callback, require",
        tostring(problem), 1, true)
      task.sleep(1) -- and the task is as well as before
    end

    it("table.sort", function()
      refused(function() table.sort({ 2, 1, 3 }, function(a, b) task.sleep(1) return a < b end) end)
    end)

    it("string.gsub", function()
      refused(function() return (("x"):gsub("x", function() task.sleep(1) end)) end)
    end)

    it("require", function()
      package.preload["spec.waits"] = function() task.sleep(1) end
      refused(function() require "spec.waits" end)
    end)

    it("tostring", function()
      refused(function() tostring(setmetatable({}, { __tostring = function() task.sleep(1) end })) end)
    end)

    it("a message handler", function()
      local seen
      xpcall(error, function() seen = failure(task.sleep, 1) end)
      assert.equal("CannotWait", seen.code)
    end)

    it("a coroutine that is resumed by a sort comparator", function()
      refused(function()
        table.sort({ 2, 1 }, function(a, b)
          coroutine.wrap(function() task.sleep(1) end)()
          return a < b
        end)
      end)
    end)

    it("a coroutine that is closed from outside", function()
      local seen
      local co = coroutine.create(function()
        local _ <close> = on_close(function() seen = failure(task.sleep, 1) end)
        coroutine.yield()
      end)
      coroutine.resume(co)
      coroutine.close(co)
      assert.equal("CannotWait", seen.code)
    end)

    it("__gc", function()
      local seen
      setmetatable({}, { __gc = function() seen = failure(task.sleep, 1) end })
      collectgarbage()
      assert.equal("CannotWait", seen.code)
    end)
  end)

  describe("a semaphore", function()
    it("lets no more than its number in at a time", function()
      local semaphore, inside, most, functions = task.semaphore(3), 0, 0, {}
      for i = 1, 10 do
        functions[i] = function()
          return semaphore:with(function(x)
            inside = inside + 1
            most = math.max(most, inside)
            task.sleep(1)
            inside = inside - 1
            return x
          end, i)
        end
      end
      local begun = task.monotonic()
      local results = task.all(functions)
      assert.equal(3, most)
      assert.equal(4, task.monotonic() - begun)
      assert.equal(10, results[10])
    end)

    it("gets its permit back when what ran with it failed or was cancelled", function()
      local semaphore = task.semaphore(1)
      pcall(semaphore.with, semaphore, error, "oh")
      pcall(task.timeout, 1, semaphore.with, semaphore, task.sleep, 1000)
      assert.equal("in", semaphore:with(function() return "in" end))
    end)

    it("forgets who was cancelled in the queue", function()
      local semaphore, order = task.semaphore(1), {}
      task.scope(function(s)
        s:spawn(semaphore.with, semaphore, task.sleep, 10)
        local impatient = s:spawn(semaphore.with, semaphore, function() order[#order + 1] = "impatient" end)
        s:spawn(semaphore.with, semaphore, function() order[#order + 1] = "patient" end)
        task.sleep(1)
        impatient:cancel()
      end)
      assert.same({ "patient" }, order)
    end)

    it("that nobody can ever leave is a deadlock, said so", function()
      local semaphore = task.semaphore(1)
      local problem = failure(semaphore.with, semaphore, semaphore.with, semaphore, print)
      assert.equal("Deadlock", problem.code)
      assert.equal("in", semaphore:with(function() return "in" end))
    end)
  end)

  -- Random trees of tasks that wait, fail, cancel each other and clean up slowly: whatever happens, at the
  -- end each variable that was opened is closed, and nothing is left.
  describe("in random trees", function()
    local open, semaphore, known

    local function guard()
      open = open + 1
      return on_close(function()
        if math.random(3) == 1 then pcall(task.sleep, math.random()) end
        open = open - 1
        if math.random(50) == 1 then error("closing", 0) end
      end)
    end

    local body

    local function generator()
      local _ <close> = guard()
      task.sleep(1)
      coroutine.yield()
      if math.random(2) == 1 then error("generator", 0) end
    end

    local function family(s, depth)
      local _ <close> = guard()
      for _ = 1, 3 do known[#known + 1] = s:spawn(body, depth) end
      if math.random(2) == 1 then body(depth) end
    end

    local function somebody() return known[math.random(#known + 1)] or task.current() end

    local actions = {
      function() task.sleep(math.random(3)) end,
      function() task.sleep(0) end,
      function(depth) pcall(task.all, { function() body(depth) end, function() body(depth) end }) end,
      function(depth) pcall(task.timeout, math.random(), body, depth) end,
      function(depth) pcall(task.scope, family, depth) end,
      function(depth) pcall(semaphore.with, semaphore, body, depth) end,
      function() somebody():cancel() end,
      function() local other = somebody() pcall(other.wait, other) end,
      function() local f = coroutine.wrap(generator) pcall(f) pcall(f) end,
      function() error("failed", 0) end,
      function() collectgarbage() end,
    }

    function body(depth)
      local _ <close> = guard()
      if depth == 0 then return end
      for _ = 1, math.random(5) do actions[math.random(#actions)](depth - 1) end
    end

    for seed = 1, 10 do
      it("nothing is left open, seed " .. seed, function()
        math.randomseed(seed)
        open, semaphore, known = 0, task.semaphore(3), {}
        for _ = 1, 10 do pcall(core.call, body, 5) end
        assert.equal(0, open)
        assert.equal("free", task.timeout(1, semaphore.with, semaphore, function() return "free" end))
        for _, child in ipairs(known) do
          assert.is_true(({ done = true, failed = true, canceled = true })[child:status()])
        end
      end)
    end
  end)

  it("core.call is the only way to a task whose failure is its own, and it waits for it", function()
    local begun = task.monotonic()
    assert.equal("alone", failure(core.call, function() task.sleep(2) error("alone", 0) end))
    assert.equal(2, task.monotonic() - begun)
  end)
end)

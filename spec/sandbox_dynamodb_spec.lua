-- DynamoDB as a view of the sandbox's store.

local world = require "spec.sandbox_world"

describe("DynamoDB in the sandbox", function()
  local w, db
  before_each(function()
    w = world.open()
    db = w:client "dynamodb"
    w:create("demo", {
      Prompts = { Type = "AWS::DynamoDB::Table", Properties = {
        TableName = "prompts", BillingMode = "PAY_PER_REQUEST",
        KeySchema = { { AttributeName = "id", KeyType = "HASH" } },
        AttributeDefinitions = { { AttributeName = "id", AttributeType = "S" } },
        PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled = "true" },
        TimeToLiveSpecification = { AttributeName = "ttl", Enabled = true },
        StreamSpecification = { StreamViewType = "NEW_IMAGE" } } },
      Scores = { Type = "AWS::DynamoDB::Table", Properties = {
        TableName = "scores", BillingMode = "PAY_PER_REQUEST",
        KeySchema = { { AttributeName = "game", KeyType = "HASH" }, { AttributeName = "at", KeyType =
          "RANGE" } },
        AttributeDefinitions = { { AttributeName = "game", AttributeType = "S" },
          { AttributeName = "at", AttributeType = "N" }, { AttributeName = "who", AttributeType = "S" } },
        GlobalSecondaryIndexes = { { IndexName = "by-who", Projection = { ProjectionType = "ALL" },
          KeySchema = { { AttributeName = "who", KeyType = "HASH" } } } } } },
    })
  end)
  after_each(function() w:close() end)

  local function refusal(operation, input) return (world.refusal(db[operation], db, input)) end

  local function put(item, input)
    local request = { TableName = "prompts", Item = item }
    for member, value in pairs(input or {}) do request[member] = value end
    return db:put_item(request)
  end

  local function get(id) return db:get_item({ TableName = "prompts", Key = { id = { S = id } } }).Item end

  local function score(game, at, who)
    db:put_item { TableName = "scores", Item = { game = { S = game }, at = { N = at }, who = { S = who } } }
  end

  it("describes a table as its template says", function()
    local described = db:describe_table({ TableName = "prompts" }).Table
    assert.same({ "ACTIVE", "PAY_PER_REQUEST", 0 },
      { described.TableStatus, described.BillingModeSummary.BillingMode, described.ItemCount })
    assert.equal("arn:aws:dynamodb:us-east-1:123456789012:table/prompts", described.TableArn)
    assert.truthy(described.LatestStreamArn:find("/stream/2026-01-01T", 1, true))
    assert.equal("ENABLED", db:describe_continuous_backups({ TableName = "prompts" })
      .ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus)
    assert.same({ TimeToLiveStatus = "ENABLED", AttributeName = "ttl" },
      db:describe_time_to_live({ TableName = "prompts" }).TimeToLiveDescription)
    assert.same({ "prompts", "scores" }, db:list_tables({}).TableNames)
    assert.equal("ResourceNotFoundException: Requested resource not found: Table: none not found",
      refusal("describe_table", { TableName = "none" }))
  end)

  it("keeps items by their key", function()
    put { id = { S = "1" }, tags = { SS = { "a", "b" } }, n = { N = "5" }, deep = { M = { l = { L = {
      { BOOL = true }, { NULL = true } } } } } }
    assert.same({ BOOL = true }, get("1").deep.M.l.L[1])
    local old = put({ id = { S = "1" }, n = { N = "6" } }, { ReturnValues = "ALL_OLD" }).Attributes
    assert.equal("5", old.n.N)
    db:delete_item { TableName = "prompts", Key = { id = { S = "1" } } }
    assert.is_nil(get "1")
    assert.equal("ValidationException: One or more parameter values were invalid: Missing the key id in the "
      .. "item",
      refusal("put_item", { TableName = "prompts", Item = { n = { N = "1" } } }))
    assert.equal("ValidationException: One or more parameter values were invalid: Type mismatch for key id "
      .. "expected: S actual: N", refusal("put_item", { TableName = "prompts", Item = { id = { N = "1" } } }))
    assert.equal("ValidationException: The provided key element does not match the schema",
      refusal("get_item", { TableName = "prompts", Key = { id = { S = "1" }, x = { S = "y" } } }))
    assert.equal("ResourceNotFoundException: Requested resource not found",
      refusal("get_item", { TableName = "none", Key = { id = { S = "1" } } }))
  end)

  it("writes only when the condition holds", function()
    local once = { ConditionExpression = "attribute_not_exists(id)" }
    put({ id = { S = "1" }, n = { N = "10" }, s = { S = "hello" } }, once)
    assert.equal("ConditionalCheckFailedException: The conditional request failed",
      world.refusal(put, { id = { S = "1" } }, once))
    local function holds(condition, values, names)
      local ok = pcall(put, get "1", { ConditionExpression = condition, ExpressionAttributeValues = values,
        ExpressionAttributeNames = names })
      return ok
    end
    assert.is_true(holds("n BETWEEN :a AND :b AND begins_with(s, :p)",
      { [":a"] = { N = "9" }, [":b"] = { N = "10.0" }, [":p"] = { S = "he" } }))
    assert.is_true(holds("NOT (#n < :a) OR n IN (:a, :b)", { [":a"] = { N = "9" }, [":b"] = { N = "1" } },
      { ["#n"] = "n" }))
    assert.is_false(holds("size(s) > :a", { [":a"] = { N = "5" } }))
    assert.is_false(holds("contains(s, :p)", { [":p"] = { S = "x" } }))
    assert.is_true(holds("s <> :p", { [":p"] = { S = "x" } }))
  end)

  it("updates items in place", function()
    put { id = { S = "1" }, n = { N = "1" }, l = { L = { { S = "a" } } }, m = { M = { x = { N = "1" } } },
      s = { SS = { "a", "b" } }, gone = { S = "x" } }
    local new = db:update_item({ TableName = "prompts", Key = { id = { S = "1" } }, ReturnValues = "ALL_NEW",
      UpdateExpression = "SET n = n + :one, l = list_append(l, :l), m.#y = if_not_exists(m.z, :one) REMOVE "
        .. "gone "
        .. "ADD hits :one DELETE s :s",
      ExpressionAttributeNames = { ["#y"] = "y" },
      ExpressionAttributeValues = { [":one"] = { N = "1" }, [":l"] = { L = { { S = "b" } } },
        [":s"] = { SS = { "a" } } } }).Attributes
    assert.same({ "2", "b", "1", "1", "1" },
      { new.n.N, new.l.L[2].S, new.m.M.y.N, new.m.M.x.N, new.hits.N })
    assert.same({ "b" }, new.s.SS)
    assert.is_nil(new.gone)
    db:update_item { TableName = "prompts", Key = { id = { S = "new" } }, UpdateExpression = "SET n = :n",
      ExpressionAttributeValues = { [":n"] = { N = "7" } } }
    assert.equal("7", get("new").n.N)
    assert.truthy(refusal("update_item", { TableName = "prompts", Key = { id = { S = "1" } },
      UpdateExpression = "SET id = :n", ExpressionAttributeValues = { [":n"] = { S = "2" } } })
      :find("Cannot update attribute id. This attribute is part of the key", 1, true))
  end)

  it("queries a partition in the order of the range key, and an index", function()
    for _, at in ipairs { "10", "9", "100" } do score("go", at, "ann") end
    score("chess", "1", "bob")
    local function query(input)
      input.TableName = "scores"
      local out = {}
      for i, item in ipairs(db:query(input).Items) do out[i] = item.game.S .. item.at.N end
      return table.concat(out, " ")
    end
    local go = { [":g"] = { S = "go" } }
    assert.equal("go9 go10 go100", query { KeyConditionExpression = "game = :g", ExpressionAttributeValues =
      go })
    assert.equal("go100 go10", query { KeyConditionExpression = "game = :g AND #at >= :a", ScanIndexForward =
      false,
      ExpressionAttributeNames = { ["#at"] = "at" },
      ExpressionAttributeValues = { [":g"] = { S = "go" }, [":a"] = { N = "10" } } })
    assert.equal("chess1", query { IndexName = "by-who", KeyConditionExpression = "who = :w",
      ExpressionAttributeValues = { [":w"] = { S = "bob" } } })
    assert.equal("ValidationException: Query condition missed key schema element: game",
      refusal("query", { TableName = "scores", KeyConditionExpression = "who = :w",
        ExpressionAttributeValues = { [":w"] = { S = "bob" } } }))
  end)

  it("scans in pages, with a filter and a projection", function()
    for i = 1, 5 do put { id = { S = tostring(i) }, n = { N = tostring(i) }, extra = { S = "x" } } end
    local seen, pages = 0, 0
    for page in db:pages("scan", { TableName = "prompts", Limit = 2, FilterExpression = "n > :two",
      ProjectionExpression = "id", ExpressionAttributeValues = { [":two"] = { N = "2" } } }) do
      pages = pages + 1
      for _, item in ipairs(page.Items) do
        assert.is_nil(item.extra)
        seen = seen + 1
      end
    end
    assert.same({ 3, 3 }, { seen, pages })
    assert.same({ 3, 5 }, (function()
      local answer = db:scan { TableName = "prompts", Select = "COUNT", FilterExpression = "n > :two",
        ExpressionAttributeValues = { [":two"] = { N = "2" } } }
      return { answer.Count, answer.ScannedCount }
    end)())
  end)

  it("writes many at once, and all or nothing in a transaction", function()
    db:batch_write_item { RequestItems = { prompts = {
      { PutRequest = { Item = { id = { S = "1" } } } }, { PutRequest = { Item = { id = { S = "2" } } } } } } }
    local found = db:batch_get_item({ RequestItems = { prompts = { Keys = { { id = { S = "1" } },
      { id = { S = "9" } } } } } }).Responses.prompts
    assert.equal(1, #found)
    assert.equal("TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for "
      .. "specific reasons [None, ConditionalCheckFailed]", refusal("transact_write_items", { TransactItems =
        {
        { Put = { TableName = "prompts", Item = { id = { S = "3" } } } },
        { Put = { TableName = "prompts", Item = { id = { S = "1" } },
          ConditionExpression = "attribute_not_exists(id)" } } } }))
    assert.is_nil(get "3")
  end)

  it("says what is wrong in an expression", function()
    assert.equal('ValidationException: Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "n ='
      .. ' "', world.refusal(put, { id = { S = "1" } }, { ConditionExpression = "n = " }))
    assert.equal("ValidationException: Invalid ConditionExpression: An expression attribute value used in "
      .. "expression is not defined; attribute value: :x",
      world.refusal(put, { id = { S = "1" } }, { ConditionExpression = "n = :x" }))
    assert.truthy(world.refusal(put, { id = { S = "1" } },
      { ConditionExpression = ("NOT "):rep(100) .. "attribute_exists(id)" }):find("too deeply", 1, true))
  end)
end)

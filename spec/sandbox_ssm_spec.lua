-- Parameters and secrets as views of the sandbox's store.

local json = require "tap.core.json"
local world = require "spec.sandbox_world"

describe("SSM parameters in the sandbox", function()
  local w, ssm
  before_each(function()
    w = world.open()
    ssm = w:client "ssm"
  end)
  after_each(function() w:close() end)

  local function refusal(operation, input) return (world.refusal(ssm[operation], ssm, input)) end

  it("keep their versions and labels", function()
    assert.equal(1, ssm:put_parameter({ Name = "/a/x", Value = "1", Type = "String" }).Version)
    assert.truthy(refusal("put_parameter", { Name = "/a/x", Value = "2", Type = "String" })
      :find "^ParameterAlreadyExists")
    assert.equal(2, ssm:put_parameter({ Name = "/a/x", Value = "2", Overwrite = true }).Version)
    ssm:label_parameter_version { Name = "/a/x", ParameterVersion = 1, Labels = { "old" } }
    local function value(name) return ssm:get_parameter({ Name = name }).Parameter.Value end
    assert.same({ "2", "1", "1" }, { value "/a/x", value "/a/x:1", value "/a/x:old" })
    assert.truthy(refusal("get_parameter", { Name = "/none" }):find "^ParameterNotFound: ")
  end)

  it("are found by name, path and filter", function()
    for _, name in ipairs { "/a/x", "/a/b/y", "/c/z" } do
      ssm:put_parameter { Name = name, Value = name, Type = "String" }
    end
    local several = ssm:get_parameters { Names = { "/a/x", "/none" } }
    assert.same({ 1, "/none" }, { #several.Parameters, several.InvalidParameters[1] })
    assert.equal(1, #ssm:get_parameters_by_path({ Path = "/a" }).Parameters)
    assert.equal(2, #ssm:get_parameters_by_path({ Path = "/a/", Recursive = true }).Parameters)
    assert.equal(1, #ssm:describe_parameters({ ParameterFilters = { { Key = "Name", Option = "BeginsWith",
      Values = { "/c" } } } }).Parameters)
  end)

  it("are encrypted unless the caller asks for the text", function()
    ssm:put_parameter { Name = "p", Value = "secret", Type = "SecureString" }
    assert.not_equal("secret", ssm:get_parameter({ Name = "p" }).Parameter.Value)
    assert.equal("secret", ssm:get_parameter({ Name = "p", WithDecryption = true }).Parameter.Value)
  end)

  it("that a stack makes are there, and change with it", function()
    local function resources(value)
      return { P = { Type = "AWS::SSM::Parameter", Properties = { Name = "/made", Type = "String", Value =
        value } } }
    end
    w:create("demo", resources "1")
    assert.equal("1", ssm:get_parameter({ Name = "/made" }).Parameter.Value)
    w.cfn:update_stack { StackName = "demo", TemplateBody = world.template(resources "2") }
    world.sleep(600)
    local parameter = ssm:get_parameter({ Name = "/made" }).Parameter
    assert.same({ "2", 2 }, { parameter.Value, parameter.Version })
    w:delete "demo"
    assert.truthy(refusal("get_parameter", { Name = "/made" }):find "^ParameterNotFound: ")
  end)
end)

describe("secrets in the sandbox", function()
  local w, secrets
  before_each(function()
    w = world.open()
    secrets = w:client "secretsmanager"
  end)
  after_each(function() w:close() end)

  it("keep the value before the current one", function()
    local made = secrets:create_secret { Name = "db", SecretString = "one" }
    assert.truthy(made.ARN:match("^arn:aws:secretsmanager:us%-east%-1:123456789012:secret:db%-%w%w%w%w%w%w$"))
    secrets:put_secret_value { SecretId = made.ARN, SecretString = "two" }
    assert.equal("two", secrets:get_secret_value({ SecretId = "db" }).SecretString)
    assert.equal("one", secrets:get_secret_value({ SecretId = "db", VersionStage =
      "AWSPREVIOUS" }).SecretString)
    assert.equal(1, #secrets:list_secrets({}).SecretList)
  end)

  it("are generated as a template asks", function()
    w:create("demo", { S = { Type = "AWS::SecretsManager::Secret", Properties = { Name = "made",
      GenerateSecretString = { SecretStringTemplate = '{"username":"admin"}', GenerateStringKey = "password",
        PasswordLength = "20", ExcludePunctuation = true } } } })
    local secret = json.decode(secrets:get_secret_value({ SecretId = "made" }).SecretString)
    assert.equal("admin", secret.username)
    assert.truthy(secret.password:match("^%w+$") and #secret.password == 20)
  end)

  it("that are deleted are gone for readers, and can be restored", function()
    secrets:create_secret { Name = "db", SecretString = "one" }
    secrets:delete_secret { SecretId = "db" }
    assert.equal("ResourceNotFoundException: Secrets Manager can't find the specified secret.",
      (world.refusal(secrets.get_secret_value, secrets, { SecretId = "db" })))
    secrets:restore_secret { SecretId = "db" }
    assert.equal("one", secrets:get_secret_value({ SecretId = "db" }).SecretString)
  end)
end)

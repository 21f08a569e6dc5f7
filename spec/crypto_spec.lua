-- What a script can rely on of hashes, encodings and random identifiers.
-- Vectors: FIPS 180-4, RFC 4231, RFC 4648.
local crypto = require "tap.core.crypto"

local every_byte = {}
for i = 0, 255 do every_byte[#every_byte + 1] = string.char(i) end
every_byte = table.concat(every_byte)

local function parse_error(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.equal("parse", err.class)
  return err
end

describe("crypto", function()
  it("hashes by SHA-256", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", crypto.sha256 "")
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", crypto.sha256 "abc")
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      crypto.sha256(("a"):rep(1000000)))
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", crypto.sha1 "abc")
    assert.not_equal(crypto.sha256 "a\0b", crypto.sha256 "a\0c")
  end)

  it("keys hashes by HMAC", function()
    assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      crypto.hmac_sha256("Jefe", "what do ya want for nothing?"))
    assert.equal("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      crypto.hmac_sha256(("\x0b"):rep(20), "Hi There"))
  end)

  it("writes and reads base64", function()
    local vectors = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=",
      foobar = "Zm9vYmFy" }
    for plain, coded in pairs(vectors) do
      assert.equal(coded, crypto.base64(plain))
      assert.equal(plain, crypto.unbase64(coded))
    end
    assert.equal(every_byte, crypto.unbase64(crypto.base64(every_byte)))
    for _, wrong in ipairs { "Zg", "Zg=", "Z===", "Zg==\n", " Zg==", "Zm9!", "Zg==Zg==", "\0\0\0\0" } do
      parse_error(crypto.unbase64, wrong)
    end
  end)

  it("percent-encodes as AWS signs it", function()
    assert.equal("AZaz09-._~", crypto.uri_encode "AZaz09-._~")
    assert.equal("a%20b%2Fc%2A%C3%A4%00", crypto.uri_encode "a b/c*ä\0")
    assert.equal("a/b%20c", crypto.uri_encode("a/b c", "/"))
    assert.equal(every_byte, crypto.uri_decode(crypto.uri_encode(every_byte)))
    assert.equal("a+b c", crypto.uri_decode "a+b%20c")
    assert.equal("a b c", crypto.uri_decode("a+b%20c", true))
    for _, wrong in ipairs { "%", "%1", "%zz", "a%2" } do parse_error(crypto.uri_decode, wrong) end
    assert.matches("broken %%XX escape", parse_error(crypto.uri_decode, "%").message)
  end)

  it("makes identifiers that nobody else has", function()
    local seen = {}
    for _ = 1, 1000 do
      local id = crypto.uuid()
      assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", id)
      assert.equal(id:lower(), id)
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("gives random bytes", function()
    assert.equal("", crypto.random(0))
    assert.equal(32, #crypto.random(32))
    assert.equal(1048576, #crypto.random(1048576))
    assert.not_equal(crypto.random(16), crypto.random(16))
    assert.has_error(function() crypto.random(-1) end)
    assert.has_error(function() crypto.random(1048577) end)
  end)
end)

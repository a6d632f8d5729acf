-- keep_owner(owners, owner, now, lease): renews an owner's lease.
-- An owner that asks although its own lease ran out shows that a missed heartbeat proved nothing: the server was away,
-- or everybody was. Then nobody is declared dead by it; all get one more lease.
local function keep_owner(owners, owner, now, lease)
  local mine = redis.call('ZSCORE', owners, owner)
  if mine and tonumber(mine) < now then
    local late = redis.call('ZRANGEBYSCORE', owners, '-inf', now)
    for _, other in ipairs(late) do redis.call('ZADD', owners, now + lease, other) end
  end
  redis.call('ZADD', owners, now + lease, owner)
end

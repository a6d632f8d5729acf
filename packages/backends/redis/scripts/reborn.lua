-- Forgets dead letters that are on their way again.
-- KEYS: 1 records, 2 moving
-- ARGV: packed items "<id or -> <uuid>"
-- Returns 1.
for _, item in ipairs(ARGV) do
  redis.call('LREM', KEYS[2], 1, item)
  local id, uuid = string.match(item, '^(%S+) (.*)$')
  if id ~= '-' then
    redis.call('HDEL', KEYS[1], 'r:' .. id)
    local kept = {}
    for other in string.gmatch(redis.call('HGET', KEYS[1], 'u:' .. uuid) or '', '%S+') do
      if other ~= id then kept[#kept + 1] = other end
    end
    if #kept == 0 then
      redis.call('HDEL', KEYS[1], 'u:' .. uuid)
    else
      redis.call('HSET', KEYS[1], 'u:' .. uuid, table.concat(kept, ' '))
    end
  end
end
return 1

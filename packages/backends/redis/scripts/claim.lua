-- Leases entries of one list to an owner.
-- KEYS: 1 list, 2 runs, 3 parked, 4 owners, 5 later, 6 suspects, 7 token
-- ARGV: 1 owner, 2 lease (ms), 3 most entries, 4 "alone" or "together" (suspects), or "work"
-- Returns {suspects waiting, {entry, uuid, token, attempt, deaths}, ...}.
--@include now
--@include owners
--@include runs
redis.call('ZREM', KEYS[5], '') -- the first write frees, so the script also runs at maxmemory
local now = now_ms()
local most = tonumber(ARGV[3])
local suspects = ARGV[4] ~= 'work'
local lone = ARGV[4] == 'alone'

keep_owner(KEYS[4], ARGV[1], now, tonumber(ARGV[2]))
local expired = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now)
if #expired > 0 then
  local dead = {}
  for _, owner in ipairs(expired) do
    dead[owner] = true
    redis.call('ZREM', KEYS[4], owner)
  end
  suspect_all(KEYS[2], KEYS[3], KEYS[6], dead, now)
end

local taken = {}
local function parked_entries(queue, entries)
  for _, entry in ipairs(entries) do
    redis.call('ZREM', queue, entry)
    local packed = redis.call('HGET', KEYS[3], entry)
    if packed then
      redis.call('HDEL', KEYS[3], entry)
      local attempt, deaths, uuid = string.match(packed, '^(%S+) (%S+) (.*)$')
      taken[#taken + 1] = { entry, uuid, false, attempt, deaths }
    end
  end
end

if suspects then
  parked_entries(KEYS[6], redis.call('ZRANGE', KEYS[6], 0, most - 1))
else
  parked_entries(KEYS[5], redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, most))
  if #taken < most then
    local fresh = redis.call('LPOP', KEYS[1], most - #taken)
    for _, uuid in ipairs(fresh or {}) do taken[#taken + 1] = { false, uuid, false, '0', '0' } end
  end
end

-- also with nothing taken: the counter marks the list as one that workers of ours consume
local token = redis.call('INCRBY', KEYS[7], #taken) - #taken
local reply = { redis.call('ZCARD', KEYS[6]) }
local leases = {}
for _, run in ipairs(taken) do
  token = token + 1
  run[3] = string.format('%.0f', token)
  run[1] = run[1] or run[3]
  leases[#leases + 1] = run[1]
  leases[#leases + 1] = table.concat({ run[3], ARGV[1], run[4], run[5], lone and 1 or 0, run[2] }, ' ')
  reply[#reply + 1] = run
end
-- a call takes a limited number of arguments
for at = 1, #leases, 1000 do redis.call('HSET', KEYS[2], unpack(leases, at, math.min(at + 999, #leases))) end
return reply

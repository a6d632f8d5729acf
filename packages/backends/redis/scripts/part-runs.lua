-- A leased entry is packed in `runs` as "token owner attempt deaths lone uuid", a parked one (delayed or suspect) in
-- `parked` as "attempt deaths uuid"; the uuid is last because a list may hold any string.
local function unpack_run(packed)
  return string.match(packed, '^(%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
end

-- suspect_all(runs, parked, suspects, dead, now): what the owners in the table `dead` held becomes suspect; a death
-- counts only for an entry that ran alone. Returns how many entries that are.
local function suspect_all(runs, parked, suspects, dead, now)
  local count = 0
  local leases = redis.call('HGETALL', runs)
  for at = 1, #leases, 2 do
    local _, owner, attempt, deaths, lone, uuid = unpack_run(leases[at + 1])
    if dead[owner] then
      redis.call('HDEL', runs, leases[at])
      redis.call('HSET', parked, leases[at], attempt .. ' ' .. (deaths + lone) .. ' ' .. uuid)
      redis.call('ZADD', suspects, now, leases[at])
      count = count + 1
    end
  end
  return count
end

-- The smallest job that could pass for ours: one result for each resource the reply names, a summary, a truthful status.
-- It does not know what was asked, keeps no order, counts no metric, and believes whatever it reads.
-- `location.capture` and not a body filter: the status goes out before a body filter sees the first byte.

local cjson = require "cjson.safe"

local categories = { ["5304"] = "conflict", ["Ecs.0614"] = "not_found" }
local methods = { GET = ngx.HTTP_GET, POST = ngx.HTTP_POST, PUT = ngx.HTTP_PUT, DELETE = ngx.HTTP_DELETE }

local function failure(id, code, message)
    code = tostring(code)
    return { resource = id, outcome = "failed", category = categories[code] or "unknown", vendor_code = code, message = message }
end

-- Results and how many of them failed; nothing where the reply has no list that we know.
local function translate(reply)
    local results, failed = {}, 0
    if reply.detail then
        for id, entry in pairs(reply.detail) do
            if entry.code == 0 then
                results[#results + 1] = { resource = id, outcome = "accepted", task = entry.requestId }
            else
                failed = failed + 1
                results[#results + 1] = failure(id, entry.code, entry.message)
            end
        end
    elseif reply.response or reply.internalError then
        for _, entry in ipairs(reply.response or {}) do
            results[#results + 1] = { resource = entry.id, outcome = "succeeded" }
        end
        for _, entry in ipairs(reply.internalError or {}) do
            failed = failed + 1
            results[#results + 1] = failure(entry.id, entry.error_code, entry.error_message)
        end
    else
        return nil
    end
    return results, failed
end

ngx.req.read_body()
local reply = ngx.location.capture("/vendor" .. ngx.var.request_uri, { method = methods[ngx.req.get_method()] })
local document = cjson.decode(reply.body)
local results, failed
if type(document) == "table" then
    results, failed = translate(document)
end

ngx.status = reply.status
local body = reply.body
if results then
    local total = #results
    if failed > 0 then
        ngx.status = failed < total and 207 or 422
    end
    body = cjson.encode({ summary = { total = total, failed = failed, good = total - failed }, results = results })
end
ngx.header["Content-Type"] = reply.header["Content-Type"]
ngx.header["Content-Length"] = #body
ngx.print(body)

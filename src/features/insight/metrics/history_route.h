// `GET /api/history`: one metric over time, by labels.
#pragma once

#include "core/admin.h"
#include "platform/metrics/history.h"

namespace causeway::metrics {

AdminReply history_reply(const History& history, const AdminRequest& request);

}  // namespace causeway::metrics

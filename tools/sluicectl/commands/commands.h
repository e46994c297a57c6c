#pragma once

#include <string>
#include <string_view>

#include "tools/sluicectl/context.h"

namespace sluice::ctl {

// Runs the command of the options; everything below is a part of it.
Exit run(const Options& options, Context& context);

Exit status(const Options& options, Context& context);
Exit services(const Options& options, Context& context);
Exit drain(const Options& options, Context& context);
Exit resume(const Options& options, Context& context);
Exit wait(const Options& options, Context& context);
Exit ready(const Options& options, Context& context);
Exit force(const Options& options, Context& context);  // force-up, force-down, unforce
Exit explain(const Options& options, Context& context);
Exit schedule_list(const Options& options, Context& context);
Exit schedule_cancel(const Options& options, Context& context);
Exit cluster(const Options& options, Context& context);
Exit cluster_forget(const Options& options, Context& context);
Exit dig(const Options& options, Context& context);
Exit verify(const Options& options, Context& context);
Exit roll(const Options& options, Context& context);
Exit watch(const Options& options, Context& context);
Exit history(const Options& options, Context& context);
Exit backup(const Options& options, Context& context);
Exit reload(const Options& options, Context& context);
// These ask no authority.
Exit import_state(const Options& options, Context& context);  // import
Exit token(const Options& options, Context& context);
Exit certificates(const Options& options, Context& context);  // pki

// "/v1/servers/fe02" and what follows it.
std::string server_path(const Options& options, std::string_view rest);

}  // namespace sluice::ctl

#pragma once

namespace sluice::command_line {

// Ends the process, with success and without a word, when it still runs some hundred milliseconds
// from now: who pressed TAB types on. Whatever it waits for then, a name server or a disk, no
// time limit of a single call covers all of that.
void end_when_impatient();

}  // namespace sluice::command_line

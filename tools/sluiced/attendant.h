#pragma once

namespace sluice {

// A process that another sluiced has started to take its place has an attendant between the two,
// which does nothing but wait for it, and ends as it ends. When the place is taken the other one
// kills the attendant, and so the kernel gives the new process to whom the old one is a child of: a
// supervisor stops, restarts and waits for its own children alone (systemd says "not our child" of
// others, and kills them where it would have waited).

// Makes the calling process the attendant, and returns in its child. For the only thread of a
// process that has nothing open but standard files and the channel, which the attendant closes;
// signals that it gets it passes on. Its death is the child's, until outlive_attendant(). Where no
// process can be made this one goes on without.
void leave_attendant() noexcept;

void outlive_attendant() noexcept;

}  // namespace sluice

"""What tools/bench/compare is made of: data (zone), servers, cases, runs."""

"""Who calls the jobs: a clock in this process, later also a distributed engine."""

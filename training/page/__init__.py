"""A page in the browser that shows a training as it runs: `gan808 fit --panel`.

The page is served by a process of its own, which reads what the run writes anyway (run_folder.py)
and what the command says of itself over a pipe (reporter.py). It writes nothing.
"""

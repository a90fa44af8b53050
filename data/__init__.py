"""What a message and a label are: taxonomy, records, facts, corpus, store, labelling script."""

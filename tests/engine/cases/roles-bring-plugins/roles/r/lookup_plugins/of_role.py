class LookupModule:
    def run(self, terms, variables=None, **options):
        return [f"looked up {term}" for term in terms]

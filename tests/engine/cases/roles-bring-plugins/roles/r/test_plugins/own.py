class TestModule:
    def tests(self):
        return {"small": lambda value: value < 10}

class FilterModule:
    def filters(self):
        return {"of_dependency": lambda value: f"({value})"}
